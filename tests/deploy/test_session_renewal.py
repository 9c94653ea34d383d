"""Engine streams that grow old and are replaced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.drive import WORDS, every_word_comes_once, renewing, text
from tests.fakes.engine import say, silence
from voxtide_server.events import (
    Audio,
    Commit,
)


def test_a_long_turn_is_renewed_at_pauses_without_a_lost_or_doubled_word() -> None:
    drive = renewing()
    for number in range(100):
        drive.say(say(number), silence(1.2 if number % 4 == 0 else 0.25))
    assert drive.commit().text == text(*range(100))
    assert drive.opened > 5


def test_a_turn_without_a_pause_is_renewed_between_words() -> None:
    drive = renewing()
    for number in range(200):
        drive.say(say(number, 0.25), silence(0.1))
    final = drive.commit()
    assert final.text == text(*range(200))
    assert drive.opened > 5
    ends = [word.end for word in final.words]
    expected = [0.25 + 0.35 * n for n in range(200)]
    assert ends == pytest.approx(expected, abs=0.08)


def test_silence_is_renewed_too() -> None:
    drive = renewing()
    for _ in range(60):
        drive.say(silence(1.0))
    drive.say(say(7), silence(0.5))
    assert drive.commit().text == text(7)
    assert drive.opened > 5


def test_what_waits_for_the_engine_is_fed_again_after_a_renewal() -> None:
    drive = renewing()
    for number in range(50):
        drive.command(Audio(np.concatenate((say(number), silence(0.9)))))
        drive.answer(most=3)  # the engine falls behind
    drive.command(Commit())
    drive.answer()
    assert drive.finals()[-1].text == text(*range(50))  # type: ignore[union-attr]
    assert drive.opened > 5


def test_the_silence_after_a_turn_is_not_renewed() -> None:
    drive = renewing()
    drive.say(silence(4.9))  # grows 6 s old only in the padding
    drive.commit()
    assert drive.opened == 1


def test_a_word_longer_than_the_pause_is_not_cut() -> None:
    drive = renewing()
    for number in range(60):
        drive.say(say(number, 2.0), silence(0.1))
    assert drive.commit().text == text(*range(60))
    assert drive.opened > 5


def test_a_model_that_never_falls_silent_is_renewed_all_the_same() -> None:
    drive = renewing()
    babble = np.concatenate([say(n, 0.16) for n in range(500, 600)])
    for _ in range(10):
        drive.say(babble)  # three tokens for every two frames: the spelling never ends
    assert drive.opened > 5
    assert drive.longest <= 3 * 6.0 / 0.08 + 1


def test_held_audio_does_not_grow_with_the_age_of_a_turn() -> None:
    drive = renewing()
    held = []
    for number in range(300):
        drive.say(say(number % 900), silence(0.7))
        held.append(len(drive.session._legs.tail._pieces))
    assert max(held[50:]) <= max(held[:50])


@settings(max_examples=60)
@given(
    words=WORDS,
    cut=st.integers(100, 20_000),
    commits=st.sets(st.integers(0, 20)),
    lag=st.integers(1, 30),
)
def test_no_word_is_lost_or_doubled_however_audio_comes(
    words: list[tuple[int, float, float]], cut: int, commits: set[int], lag: int
) -> None:
    every_word_comes_once(words, cut, commits, lag)
