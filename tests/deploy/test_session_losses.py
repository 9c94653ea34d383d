"""Engine streams that are lost, and engines that are gone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.drive import WORDS, Drive, every_word_comes_once, heard, text
from tests.fakes.engine import say, silence
from voxtide_server.errors import EngineDead, EngineFailed
from voxtide_server.events import (
    Audio,
    Commit,
    Completed,
    Failed,
)
from voxtide_server.session import MAX_LOSSES


def test_what_a_lost_stream_had_not_said_is_heard_again() -> None:
    drive = Drive()
    for number in range(20):
        drive.say(silence(0.5), say(number, 0.3))
        if number % 5 == 4:
            drive.lose()  # its last words are still on their way
    drive.say(silence(0.2))
    final = drive.commit()
    assert final.text == text(*range(20))
    assert [w.end for w in final.words] == pytest.approx(
        [0.8 * (n + 1) for n in range(20)], abs=0.08
    )
    assert drive.opened == 5


def test_a_stream_that_is_lost_after_the_commit_still_brings_the_last_words() -> None:
    drive = Drive()
    drive.say(say(1), silence(1.0), say(2), silence(0.1))
    drive.command(Commit())
    drive.answer(most=2)
    drive.lose()
    drive.answer()
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [text(1, 2)]
    assert not drive.streams


@pytest.mark.parametrize("tokens", [4, 5, 6])
def test_a_word_that_is_being_spelt_when_its_stream_is_lost_comes_once(tokens: int) -> None:
    drive = Drive()
    drive.command(Audio(np.concatenate((say(600), silence(2.0)))))
    drive.answer(most=tokens)  # its marker, then its two pieces
    drive.lose()
    drive.answer()
    final = drive.commit()
    assert final.text == heard(drive) == text(600)
    assert [w.end for w in final.words] == pytest.approx([0.3], abs=0.08)


@pytest.mark.parametrize("gap", [0.2, 0.8, 1.6])
def test_words_come_once_and_with_their_times_at_whichever_token_streams_are_lost(
    gap: float,
) -> None:
    audio = np.concatenate((say(1), silence(gap), say(600), silence(gap), say(7), silence(1.0)))
    ends = [0.3, 0.6 + gap, 0.9 + 2 * gap]
    for tokens in range(1, round(len(audio) / 1280)):
        drive = Drive()
        drive.command(Audio(audio))
        drive.answer(most=tokens)
        drive.lose()
        drive.answer(most=tokens % 7)
        drive.lose()
        drive.answer()
        final = drive.commit()
        assert final.text == heard(drive) == text(1, 600, 7)
        assert [w.end for w in final.words] == pytest.approx(ends, abs=0.08)


def test_a_stream_may_be_lost_when_the_last_word_is_out_already() -> None:
    """A word ends in the middle of its frame: here that is after the end of the turn."""
    drive = Drive()
    drive.command(Audio(say(1, 0.25)))
    drive.command(Commit())
    drive.answer(most=6)
    drive.lose()
    drive.answer()
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [text(1)]


def test_a_lost_stream_of_one_turn_leaves_the_turns_behind_it_alone() -> None:
    drive = Drive()
    for number in range(3):
        drive.command(Audio(np.concatenate((say(number), silence(0.4)))))
        drive.command(Commit())
    first, *others = drive.streams
    drive.lose(first)
    assert set(others) < set(drive.streams), "they go on"
    drive.answer()
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [
        text(n) for n in range(3)
    ]
    assert drive.opened == 4


def test_three_losses_without_progress_do_no_harm() -> None:
    drive = Drive()
    drive.command(Audio(np.concatenate((say(1), silence(1.0)))))
    for _ in range(MAX_LOSSES):
        drive.lose()
    drive.answer()
    assert drive.commit().text == text(1)
    assert drive.opened == 4


def test_the_fourth_loss_without_progress_fails_the_turn_and_the_next_one_works() -> None:
    drive = Drive()
    error = EngineFailed()
    drive.command(Audio(np.concatenate((say(1), silence(1.0)))))
    for _ in range(MAX_LOSSES):
        drive.lose()
        assert not drive.finals()
    drive.lose(error=error)
    assert [f.error for f in drive.finals() if isinstance(f, Failed)] == [error]
    assert not drive.streams
    drive.say(say(2), silence(0.5))
    assert drive.commit().text == text(2)
    assert len(drive.finals()) == 2


def test_turns_behind_one_that_fails_are_final_after_it() -> None:
    drive = Drive()
    for number in range(3):
        drive.command(Audio(np.concatenate((say(number), silence(0.4)))))
        drive.command(Commit())
    second = "item_s_1_"
    for _ in range(MAX_LOSSES + 1):
        drive.lose(*(name for name in drive.streams if name.startswith(second)))
    assert not drive.finals(), "the first turn is not final yet"
    drive.answer()
    assert [getattr(f, "text", None) for f in drive.finals()] == [text(0), None, text(2)]


def test_hearing_the_same_again_is_no_progress() -> None:
    drive = Drive()
    drive.say(silence(4.0))
    for _ in range(MAX_LOSSES + 1):
        assert not drive.finals()
        drive.lose()
        drive.answer(most=5)  # of what it has heard before
    assert [type(f) for f in drive.finals()] == [Failed]


def test_a_turn_survives_any_number_of_losses_as_long_as_it_gets_on() -> None:
    drive = Drive()
    for number in range(10):
        for _ in range(MAX_LOSSES):
            drive.lose()
        drive.say(say(number), silence(1.0))
    assert drive.commit().text == text(*range(10))
    assert drive.opened > 20


@settings(max_examples=60)
@given(
    words=WORDS,
    cut=st.integers(500, 20_000),
    losses=st.sets(st.integers(0, 60), max_size=MAX_LOSSES),
    commits=st.sets(st.integers(0, 20)),
    lag=st.integers(1, 30),
)
def test_no_word_is_lost_or_doubled_whenever_streams_are_lost(
    words: list[tuple[int, float, float]],
    cut: int,
    losses: set[int],
    commits: set[int],
    lag: int,
) -> None:
    def lose(drive: Drive, message: int) -> None:
        if message in losses:
            drive.lose()

    every_word_comes_once(words, cut, commits, lag, lose)


def test_when_the_engine_is_gone_every_unfinished_turn_fails_exactly_once() -> None:
    drive = Drive()
    drive.say(say(0), silence(0.5))
    drive.commit()
    for number in (1, 2):
        drive.command(Audio(np.concatenate((say(number), silence(1.0)))))
        drive.command(Commit())
    drive.command(Audio(say(3, 1.0)))
    error = EngineDead()
    drive.carry_out(drive.session.fail(error))
    failed = [f for f in drive.finals() if isinstance(f, Failed)]
    assert [f.turn for f in failed] == ["item_s_1", "item_s_2", "item_s_3"]
    assert {f.error for f in failed} == {error}
    assert len(drive.finals()) == 4
    assert not drive.streams
    assert drive.session.fail(error) == []
    drive.say(say(4), silence(0.5))
    assert drive.commit().text == text(4)


def test_when_the_engine_is_gone_a_turn_that_is_complete_and_waits_is_told_so() -> None:
    drive = Drive()
    drive.command(Audio(np.concatenate((say(1), silence(1.0)))))
    drive.command(Commit())
    drive.command(Commit())  # an empty turn, which needs no engine
    drive.carry_out(drive.session.fail(EngineDead()))
    assert [type(f) for f in drive.finals()] == [Failed, Completed]


def test_when_the_engine_is_gone_a_turn_that_had_given_its_stream_back_fails_too() -> None:
    drive = Drive()
    drive.say(say(1), silence(1.0))
    drive.idle()
    drive.carry_out(drive.session.fail(EngineDead()))
    assert [type(f) for f in drive.finals()] == [Failed]
