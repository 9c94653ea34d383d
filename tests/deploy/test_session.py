"""Turns, and where another session would go on."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.drive import Drive, speech, text
from tests.fakes.engine import say, silence
from voxtide_server.effects import Effect, OpenStream
from voxtide_server.errors import EngineFailed
from voxtide_server.events import (
    Acknowledge,
    Acknowledged,
    Audio,
    Clear,
    Cleared,
    Commit,
    Committed,
    Completed,
    Configure,
    Delta,
    End,
    Ended,
    Failed,
    Resume,
    Score,
    SegmentEnded,
)
from voxtide_server.legs import REPLAY_S


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


def test_an_end_brings_the_last_words_and_is_told_once() -> None:
    drive = Drive()
    drive.say(say(1), silence(0.5))
    drive.command(Commit())
    drive.command(Audio(say(2)))
    drive.command(End())
    assert not any(isinstance(e, Ended) for e in drive.events)
    drive.answer()
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [text(1), text(2)]
    assert drive.events[-1] == Ended()
    assert drive.events.count(Ended()) == 1
    assert not drive.streams


@pytest.mark.parametrize("commits", [0, 1])
def test_an_end_with_nothing_new_brings_no_turn(commits: int) -> None:
    drive = Drive()
    for _ in range(commits):
        drive.say(say(1), silence(0.5))
        drive.commit()
    drive.command(End())
    assert [getattr(f, "text", None) for f in drive.finals()] == [text(1)] * commits
    assert drive.events[-1] == Ended()


def test_an_end_is_told_when_the_last_turn_has_failed_too() -> None:
    drive = Drive()
    drive.command(Audio(say(1)))
    drive.command(End())
    drive.fail()
    assert [type(e) for e in drive.events[-2:]] == [Failed, Ended]


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
            assert not drive.session._legs.tail._pieces
    drive.say(say(2), silence(0.3))
    assert drive.commit().text == text(2)


def test_a_stream_without_hope_fails_its_turn_once_and_the_next_one_works() -> None:
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


# ---- where another session would go on ---------------------------------------------


def test_nothing_is_acknowledged_before_anything_is_said() -> None:
    assert Drive().session.acknowledged_s == 0.0


def test_what_is_final_is_acknowledged_and_what_waits_is_not() -> None:
    drive = Drive()
    drive.say(say(1), silence(0.7))
    drive.commit()
    assert drive.session.acknowledged_s == pytest.approx(1.0)
    for number in (2, 3):
        drive.command(Audio(np.concatenate((say(number), silence(0.7)))))
        drive.command(Commit())
    assert drive.session.acknowledged_s == pytest.approx(1.0)
    drive.answer()
    assert drive.session.acknowledged_s == pytest.approx(3.0)


def test_a_later_turn_that_is_ready_does_not_acknowledge_the_one_before_it() -> None:
    drive = Drive()
    drive.command(Audio(np.concatenate((say(1), silence(0.7)))))
    drive.command(Commit())
    drive.command(Commit())  # an empty turn, which needs no engine
    assert drive.session.acknowledged_s == 0.0


def test_audio_of_a_failed_turn_is_not_to_be_sent_again() -> None:
    drive = Drive()
    drive.say(say(1), silence(0.7))
    drive.fail()
    assert drive.session.acknowledged_s == pytest.approx(1.0)


def test_who_wants_to_know_is_told_what_is_acknowledged() -> None:
    drive = Drive()
    drive.command(Acknowledge())
    for number in range(6):
        drive.say(say(number), silence(0.7))
    drive.commit()
    told = [e.position for e in drive.events if isinstance(e, Acknowledged)]
    assert told == sorted(set(told))
    assert all(later - earlier >= 0.99 for earlier, later in pairwise(told[:-1]))
    assert 4 <= len(told) <= 7
    assert told[-1] == pytest.approx(6.0), "a turn that is final is acknowledged to its end"
    words = [w for e in drive.events if isinstance(e, Acknowledged) for w in e.words]
    assert words == list(drive.finals()[-1].words)[: len(words)], "each is told once"
    assert len(words) >= 3
    quiet = Drive()
    quiet.say(say(1), silence(3.0))
    quiet.commit()
    assert not any(isinstance(e, Acknowledged) for e in quiet.events)


def test_a_session_that_goes_on_elsewhere_keeps_times_and_order() -> None:
    drive = Drive()
    drive.command(Resume(12.5, "item_before"))
    assert drive.session.acknowledged_s == 12.5
    drive.say(silence(0.5), say(1), silence(1.0))
    final = drive.commit()
    assert (final.start, final.end) == pytest.approx((12.5, 14.3))
    assert [w.end for w in final.words] == pytest.approx([13.3], abs=0.08)
    (committed,) = [e for e in drive.events if isinstance(e, Committed)]
    assert committed.previous == "item_before"


def test_a_turn_that_goes_on_here_keeps_its_beginning_even_if_nothing_of_it_comes() -> None:
    drive = Drive()
    drive.command(Resume(9.5, None, 4.25, 12.5))
    assert drive.session.acknowledged() == Acknowledged(12.5, None, 4.25, ())
    drive.say(silence(0.5))
    assert drive.session.acknowledged().turn_start == 4.25


def test_words_are_known_to_another_session_although_its_end_was_told_in_milliseconds() -> None:
    drive = Drive()
    drive.say(silence(0.50006), say(1), silence(0.7), say(2), silence(1.0))
    one, two = drive.commit().words
    other = Drive()
    other.command(Resume(0.0, None, 0.0, one.end - 0.0005))
    other.say(silence(0.50006), say(1), silence(0.7), say(2), silence(1.0))
    assert other.commit().words == (two,)


def test_long_silence_is_acknowledged_but_for_what_a_new_stream_hears_again() -> None:
    drive = Drive()
    drive.say(*[silence(1.0)] * 20)
    assert 20.0 - REPLAY_S - 1.0 <= drive.session.acknowledged_s <= 20.0 - REPLAY_S


@settings(max_examples=40)
@given(
    tenths=st.integers(1, 150),
    lag=st.integers(1, 150),
    idle=st.booleans(),
    context=st.sampled_from([0.0, 0.7, 3.0, 10.0]),
)
def test_another_session_can_go_on_where_one_was_cut_off(
    tenths: int, lag: int, idle: bool, context: float
) -> None:
    """Its words, and those that the first one brought up to there, are all, once each, and
    at the times that one session alone would give them, whatever it hears again before."""
    numbers = range(490, 510)  # of words in one and in two pieces
    # The turn before ends between two frames of the session, as turns do.
    before, audio = silence(0.5123), np.concatenate((speech(*numbers), silence(3.0)))
    alone = Drive()
    alone.say(before)
    alone.commit()
    alone.say(audio)
    whole = alone.commit()
    drive = Drive()
    drive.say(before)
    drive.commit()
    drive.command(Acknowledge())
    drive.command(Audio(audio[: tenths * 1600]))
    drive.answer(most=lag)
    if idle:
        drive.idle()
    last = drive.session.acknowledged()
    other = Drive()
    start = last.position if last.turn_start is None else last.turn_start
    at = max(start, last.position - context)
    other.command(Resume(at, None, last.turn_start, last.position))
    other.command(Acknowledge())
    other.say(np.concatenate((before, audio))[round(at * 16_000) :])
    rest = other.commit()
    assert all(e.position > last.position for e in other.events if isinstance(e, Acknowledged))
    deltas = [
        e
        for e in [*drive.events, *other.events]
        if isinstance(e, Delta) and (e in other.events or e.end <= last.position + 1e-6)
    ]
    assert "".join(e.text for e in deltas).split() == text(*numbers).split()
    told = [e for e in drive.events if isinstance(e, Acknowledged)] + [last]
    words = [word for e in told for word in e.words] + list(rest.words)
    assert [w.text for w in words] == [w.text for w in whole.words]
    times = [time for w in words for time in (w.start, w.end)]
    assert times == pytest.approx([time for w in whole.words for time in (w.start, w.end)])
    assert (rest.start, rest.end) == (whole.start, whole.end)


def test_logprobs_are_asked_for_from_the_next_turn_on() -> None:
    drive = Drive()
    asked: list[bool] = []

    def note(effects: list[Effect]) -> None:
        asked.extend(e.logprobs for e in effects if isinstance(e, OpenStream))
        drive.carry_out(effects)

    note(drive.session.command(Audio(say(5))))
    note(drive.session.command(Score(True)))
    (stream,) = drive.streams
    note(drive.session.stream_lost(stream, EngineFailed()))
    note(drive.session.command(Commit()))
    drive.answer()
    note(drive.session.command(Audio(say(6))))
    assert asked == [False, False, True]
