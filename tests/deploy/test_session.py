from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.drive import Drive
from tests.fakes.engine import LAYOUT, say, silence
from voxtide_server.events import (
    Audio,
    Clear,
    Cleared,
    Commit,
    Committed,
    Completed,
    Configure,
    Delta,
    Failed,
    SegmentEnded,
)


def text(*numbers: int) -> str:
    return " ".join(f"w{n}" for n in numbers)


def test_words_come_before_the_commit_and_the_final_after_it() -> None:
    drive = Drive()
    drive.say(silence(0.5), say(1), silence(0.3), say(600), silence(1.0))
    assert "".join(e.text for e in drive.events if isinstance(e, Delta)) == " w1 w600"
    final = drive.commit()
    assert final.text == text(1, 600)
    kinds = [type(e) for e in drive.events]
    assert kinds[-3:] == [Committed, SegmentEnded, Completed]


def test_words_end_where_they_ended_in_the_audio() -> None:
    drive = Drive()
    drive.say(silence(1.0), say(1, 0.4), silence(0.5), say(2, 0.3), silence(0.2))
    ends = [word.end for word in drive.commit().words]
    assert ends == pytest.approx([1.4, 2.2], abs=0.08)


def test_the_last_word_comes_however_close_the_commit_is() -> None:
    drive = Drive()
    drive.say(say(1), silence(0.1), say(2))
    drive.command(Audio(silence(0.0001)))
    assert drive.commit().text == text(1, 2)


def test_times_run_on_over_turns() -> None:
    drive = Drive()
    drive.say(say(1), silence(1.0))
    first = drive.commit()
    drive.say(silence(0.5), say(2), silence(0.5))
    second = drive.commit()
    assert (first.start, first.end) == (0.0, pytest.approx(1.3))
    assert (second.start, second.end) == (pytest.approx(1.3), pytest.approx(2.6))
    assert second.words[0].end == pytest.approx(2.1, abs=0.08)


def test_an_empty_commit_is_final_too() -> None:
    drive = Drive()
    assert drive.commit().text == ""
    assert drive.commit().text == ""
    assert [e.previous for e in drive.events if isinstance(e, Committed)] == [
        None,
        drive.finals()[0].turn,
    ]
    assert drive.opened == 0


def test_pipelined_turns_are_final_in_order_and_their_events_do_not_mix() -> None:
    drive = Drive()
    for number in range(5):
        drive.command(Audio(np.concatenate((say(number), silence(0.4)))))
        drive.command(Commit())
    drive.answer()
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [
        text(n) for n in range(5)
    ]
    turns = [getattr(e, "turn", None) for e in drive.events]
    assert turns == sorted(turns, key=turns.index), "a turn's events stand together"
    assert not drive.streams


def test_clear_forgets_the_turn_and_nothing_else() -> None:
    drive = Drive()
    drive.say(say(1), silence(0.3))
    drive.command(Commit())
    drive.command(Audio(say(2)))
    drive.command(Clear())
    drive.answer()
    drive.say(say(3), silence(0.3))
    drive.commit()
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [text(1), text(3)]
    assert sum(isinstance(e, Cleared) for e in drive.events) == 1


def test_cleared_and_failed_audio_is_not_held() -> None:
    """Pieces too short for a first token, which would otherwise pile up for ever."""
    drive = Drive()
    for end in (lambda: drive.command(Clear()), drive.fail):
        for _ in range(20):
            drive.say(say(1, 0.5))
            end()
            assert not drive.session._tail._pieces
    drive.say(say(2), silence(0.3))
    assert drive.commit().text == text(2)


def test_a_lost_stream_fails_its_turn_once_and_the_next_one_works() -> None:
    drive = Drive()
    drive.say(say(1), silence(1.0))
    drive.fail()
    drive.say(say(2), silence(1.0))
    drive.commit()
    assert [type(f) for f in drive.finals()] == [Failed, Completed]
    assert drive.finals()[1].text == text(2)  # type: ignore[union-attr]


def test_tokens_of_a_closed_stream_are_ignored() -> None:
    drive = Drive()
    drive.command(Audio(say(1, 2.0)))
    (stream,) = drive.streams
    drive.command(Clear())
    assert drive.session.token(stream, 32) == []


def test_the_rate_may_change_in_mid_audio() -> None:
    drive = Drive(rate=24_000)
    drive.say(silence(1.5))
    drive.command(Configure(16_000))
    drive.say(say(2), silence(0.5))
    final = drive.commit()
    # The silence was sent as 24 kHz: 1.5 s of samples at 16 kHz are 1 s of it.
    assert (final.text, final.end) == (text(2), pytest.approx(1.8, abs=0.01))


def test_close_gives_every_stream_back() -> None:
    drive = Drive()
    drive.say(say(1), silence(1.0))
    drive.command(Commit())
    drive.command(Audio(say(2, 1.0)))
    drive.carry_out(drive.session.close())
    assert not drive.streams


# ---- renewal -----------------------------------------------------------------------


def renewing() -> Drive:
    """A session whose legs are renewed after 6 s, the least there is."""
    return Drive(layout=replace(LAYOUT, renew_after=75))


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
        held.append(len(drive.session._tail._pieces))
    assert max(held[50:]) <= max(held[:50])


@settings(max_examples=60)
@given(
    words=st.lists(
        st.tuples(st.integers(0, 999), st.floats(0.1, 2.5), st.floats(0.1, 2.0)), max_size=25
    ),
    cuts=st.lists(st.integers(1, 20_000), min_size=1, max_size=30),
    commits=st.sets(st.integers(0, 25)),
    lag=st.integers(1, 30),
)
def test_no_word_is_lost_or_doubled_however_audio_comes(
    words: list[tuple[int, float, float]], cuts: list[int], commits: set[int], lag: int
) -> None:
    drive = renewing()
    expected: list[list[int]] = [[]]
    for number, (word, length, gap) in enumerate(words):
        audio = np.concatenate((say(word, length), silence(gap)))
        cut = cuts[number % len(cuts)]
        for start in range(0, len(audio), cut):
            drive.command(Audio(audio[start : start + cut]))
            drive.answer(most=lag)
        expected[-1].append(word)
        if number in commits:
            drive.command(Commit())
            expected.append([])
    drive.command(Commit())
    drive.answer()
    assert [f.text for f in drive.finals()] == [text(*turn) for turn in expected]  # type: ignore[union-attr]
    assert not drive.streams
