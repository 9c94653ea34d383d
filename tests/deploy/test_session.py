from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.drive import Drive
from tests.fakes.engine import LAYOUT, FakeVocabulary, say, silence
from voxtide_server.engine import Samples
from voxtide_server.errors import EngineDead, EngineFailed
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
from voxtide_server.session import MAX_LOSSES, REPLAY_S, RUT_S


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


# ---- losses ------------------------------------------------------------------------


def heard(drive: Drive) -> str:
    """What the client was told so far, committed or not."""
    return "".join(e.text for e in drive.events if isinstance(e, Delta)).strip()


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


WORDS = st.lists(
    st.tuples(st.integers(0, 999), st.floats(0.1, 2.5), st.floats(0.1, 2.0)), max_size=20
)


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
    drive = renewing()
    expected: list[list[int]] = [[]]
    step = 0
    for number, (word, length, gap) in enumerate(words):
        audio = np.concatenate((say(word, length), silence(gap)))
        for start in range(0, len(audio), cut):
            drive.command(Audio(audio[start : start + cut]))
            drive.answer(most=lag)
            if step in losses:
                drive.lose()
            step += 1
        expected[-1].append(word)
        if number in commits:
            drive.command(Commit())
            expected.append([])
    drive.command(Commit())
    drive.answer()
    assert [getattr(f, "text", None) for f in drive.finals()] == [text(*turn) for turn in expected]
    assert heard(drive).split() == [f"w{word}" for word, _, _ in words]
    assert not drive.streams


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


# ---- pauses of the client ----------------------------------------------------------


def test_an_idle_session_gives_its_stream_back_and_the_next_sample_opens_another() -> None:
    drive = Drive()
    drive.say(say(1), silence(1.0))
    drive.idle()
    assert not drive.streams
    drive.idle()
    assert drive.opened == 1
    drive.say(say(2), silence(1.0))
    assert len(drive.streams) == 1
    assert drive.commit().text == text(1, 2)
    assert drive.opened == 2


def test_a_session_that_waits_for_the_engine_is_not_idle() -> None:
    drive = Drive()
    assert drive.session.idle() == [], "there is no turn yet"
    drive.command(Audio(np.concatenate((say(1), silence(1.0)))))
    drive.answer(most=3)
    assert drive.session.backlog_s > 0
    assert drive.session.idle() == []
    drive.answer()
    drive.command(Commit())
    assert drive.session.idle() == [], "a committed turn keeps its stream until it is final"
    drive.answer()
    assert drive.finals()[-1].text == text(1)  # type: ignore[union-attr]
    assert drive.opened == 1


def test_words_before_across_and_after_a_pause_come_once_and_with_their_times() -> None:
    drive = Drive()
    drive.say(silence(1.0), say(1), silence(0.3))
    drive.idle()  # word 1 is not out yet
    drive.say(silence(0.7))
    beginning, rest = np.array_split(say(2, 1.0), 2)
    drive.say(beginning)
    drive.idle()
    drive.say(rest, silence(1.7), say(3), silence(2.0))
    drive.idle()  # all is out
    drive.say(say(4), silence(0.5))
    final = drive.commit()
    assert final.text == text(1, 2, 3, 4)
    assert [w.end for w in final.words] == pytest.approx([1.3, 3.3, 5.3, 7.6], abs=0.08)
    assert (final.start, final.end) == (0.0, pytest.approx(8.1))
    assert drive.opened == 4


@pytest.mark.parametrize("tail", [0.58, 0.66, 0.74])
def test_a_word_that_is_being_spelt_when_a_pause_begins_comes_once(tail: float) -> None:
    drive = Drive()
    drive.say(say(600), silence(tail))
    drive.idle()
    assert drive.commit().text == heard(drive) == text(600)


def test_who_stops_in_mid_sentence_may_keep_the_stream() -> None:
    drive = Drive()
    drive.say(say(1), silence(0.2), say(2), silence(0.2))
    assert drive.session.idle(in_pause=True) == []
    drive.say(silence(0.8))
    assert drive.session.idle(in_pause=True) == [], "0.6 s of that are not heard yet"
    drive.say(silence(0.5))
    drive.carry_out(drive.session.idle(in_pause=True))
    assert not drive.streams


def test_a_commit_after_a_pause_brings_the_last_words() -> None:
    drive = Drive()
    drive.say(say(1), silence(1.0), say(2), silence(0.1))
    drive.idle()
    assert heard(drive) == text(1)
    assert drive.commit().text == text(1, 2)
    assert not drive.streams


def test_less_than_a_first_token_may_be_followed_by_a_pause() -> None:
    drive = Drive()
    drive.say(say(1, 0.2))
    drive.idle()
    assert not drive.streams
    assert drive.commit().text == text(1)


@pytest.mark.parametrize("end", [Drive.answer, Drive.fail], ids=["complete", "failed"])
def test_a_pause_while_the_turn_before_is_unfinished_loses_nothing(
    end: Callable[[Drive], None],
) -> None:
    drive = Drive()
    drive.command(Audio(np.concatenate((say(1), silence(1.0)))))
    drive.command(Commit())
    drive.command(Audio(np.concatenate((say(2), silence(0.1)))))
    drive.idle()
    end(drive)
    assert not drive.streams
    assert len(drive.finals()) == 1
    assert drive.commit().text == text(2)


@pytest.mark.parametrize("end", [Drive.idle, Drive.lose])
def test_words_of_two_streams_are_not_glued(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[Drive], None]
) -> None:
    """A new stream does not know that there was a word before."""
    piece = FakeVocabulary.piece
    monkeypatch.setattr(FakeVocabulary, "piece", lambda *args: piece(*args).strip())
    drive = Drive()
    drive.say(say(1), silence(1.0))
    end(drive)
    drive.say(say(2), silence(1.0))
    assert heard(drive) == drive.commit().text == text(1, 2)


def test_clear_in_a_pause_forgets_what_came_before_it() -> None:
    drive = Drive()
    drive.say(say(1), silence(0.2))
    drive.idle()
    drive.command(Clear())
    assert not drive.session._tail._pieces
    drive.say(say(2), silence(0.5))
    assert drive.commit().text == text(2)


@settings(max_examples=60)
@given(
    words=WORDS,
    cut=st.integers(500, 20_000),
    pauses=st.sets(st.integers(0, 60)),
    commits=st.sets(st.integers(0, 20)),
)
def test_no_word_is_lost_or_doubled_whenever_the_client_pauses(
    words: list[tuple[int, float, float]], cut: int, pauses: set[int], commits: set[int]
) -> None:
    drive = renewing()
    expected: list[list[int]] = [[]]
    step = 0
    for number, (word, length, gap) in enumerate(words):
        audio = np.concatenate((say(word, length), silence(gap)))
        for start in range(0, len(audio), cut):
            drive.say(audio[start : start + cut])
            if step in pauses:
                drive.idle()
                assert not drive.streams
            step += 1
        expected[-1].append(word)
        if number in commits:
            drive.commit()
            expected.append([])
    drive.commit()
    assert [getattr(f, "text", None) for f in drive.finals()] == [text(*turn) for turn in expected]
    assert heard(drive).split() == [f"w{word}" for word, _, _ in words]


# ---- the blank rut -----------------------------------------------------------------


def never_old() -> Drive:
    """A session whose legs are not renewed for their age."""
    return Drive(layout=replace(LAYOUT, renew_after=LAYOUT.max_tokens))


def speech(*numbers: int) -> Samples:
    """Words, 0.6 s each with the gap after it; loud and clear from number 25 on."""
    return np.concatenate([np.concatenate((say(n), silence(0.3))) for n in numbers])


def test_the_words_of_a_rut_come_out_once_and_with_their_times() -> None:
    drive = never_old()
    drive.say(speech(*range(900, 905)))
    drive.deaf.add(0)
    for number in range(905, 950):
        drive.say(speech(number))
    final = drive.commit()
    assert final.text == text(*range(900, 950))
    assert [w.end for w in final.words] == pytest.approx(
        [0.3 + 0.6 * n for n in range(50)], abs=0.08
    )
    assert drive.opened == 2


def test_a_stream_that_hears_nothing_from_its_start_is_renewed_too() -> None:
    drive = never_old()
    drive.deaf.add(0)
    for number in range(900, 920):
        drive.say(speech(number))
    assert heard(drive).startswith(text(900, 901)), "before the commit"
    assert drive.commit().text == text(*range(900, 920))


def test_the_first_word_of_a_rut_may_follow_the_word_before_it_closely() -> None:
    """It began while that one was being spelt."""
    drive = never_old()
    words = [np.concatenate((say(n), silence(0.1))) for n in range(900, 950)]
    drive.say(*words[:5])
    drive.deaf.add(0)
    drive.say(*words[5:])
    assert drive.commit().text == text(*range(900, 950))


@pytest.mark.parametrize("seconds", [7.3, 7.5, 7.9, 15.5])
def test_a_rut_may_be_looked_for_in_the_silence_after_a_turn(seconds: float) -> None:
    drive = Drive()
    drive.say(silence(seconds))
    assert drive.commit().text == ""


@pytest.mark.parametrize("seconds", [7.3, 7.6, 7.9])
def test_speech_of_a_later_turn_is_no_rut_of_the_one_before(seconds: float) -> None:
    drive = never_old()
    drive.command(Audio(np.concatenate((silence(seconds - 0.6), speech(900)))))
    drive.command(Commit())
    drive.deaf.add(0)
    drive.command(Audio(speech(*range(904, 914))))
    drive.answer()
    assert drive.opened == 2, "one stream for each turn"
    assert drive.commit().text == text(*range(904, 914))


def test_a_pause_shorter_than_a_rut_renews_nothing() -> None:
    drive = never_old()
    drive.say(speech(900))
    drive.deaf.add(0)
    drive.say(speech(*range(901, 901 + int((RUT_S - 1) / 0.6))))
    assert drive.opened == 1


def random_noise(seconds: float) -> Samples:
    random = np.random.default_rng(1)
    return random.normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)


def hum(seconds: float) -> Samples:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return (0.2 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)


def clicks(seconds: float) -> Samples:
    samples = silence(seconds)
    samples[::16_000] = 1.0
    return samples


def soft_speech(seconds: float) -> Samples:
    return np.concatenate([speech(3)] * round(seconds / 0.6))


@pytest.mark.parametrize("sound", [silence, random_noise, hum, clicks, soft_speech])
def test_what_is_no_clear_speech_renews_nothing(sound: Callable[[float], Samples]) -> None:
    drive = never_old()
    drive.deaf.add(0)
    drive.say(*np.array_split(sound(30.0), 30))
    assert drive.opened == 1


def test_what_seems_to_be_speech_and_has_no_words_is_heard_again_ever_more_seldom() -> None:
    drive = never_old()
    drive.deaf.update(range(10))
    renewed = []
    for piece in range(80):
        opened = drive.opened
        drive.say(speech(900))
        if drive.opened > opened > 0:
            renewed.append((piece + 1) * 0.6)
    # A new stream hears the 8 to 9 s before it again; then it takes 8, 16, 32 s of blanks.
    assert renewed == pytest.approx([8.6, 16.6, 40.0], abs=1.2)


def test_after_words_a_rut_is_noticed_as_soon_as_the_first() -> None:
    drive = never_old()
    drive.deaf.add(0)
    drive.say(*[speech(900 + n) for n in range(20)])
    assert drive.opened == 2
    drive.deaf.add(1)
    drive.say(*[speech(920 + n) for n in range(20)])
    assert drive.opened == 3
    assert drive.commit().text == text(*range(900, 940))


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


def test_long_silence_is_acknowledged_but_for_what_a_new_stream_hears_again() -> None:
    drive = Drive()
    drive.say(*[silence(1.0)] * 20)
    assert 20.0 - REPLAY_S - 1.0 <= drive.session.acknowledged_s <= 20.0 - REPLAY_S


@settings(max_examples=40)
@given(tenths=st.integers(1, 150), lag=st.integers(1, 150), idle=st.booleans())
def test_another_session_can_go_on_where_one_was_cut_off(tenths: int, lag: int, idle: bool) -> None:
    """Its words, and those that the first one brought up to there, are all, once each."""
    numbers = range(490, 510)  # of words in one and in two pieces
    audio = np.concatenate((speech(*numbers), silence(3.0)))
    drive = Drive()
    drive.command(Audio(audio[: tenths * 1600]))
    drive.answer(most=lag)
    if idle:
        drive.idle()
    acknowledged = drive.session.acknowledged_s
    other = Drive()
    other.say(audio[round(acknowledged * 16_000) :])
    deltas = [e for e in drive.events if isinstance(e, Delta) and e.end <= acknowledged + 1e-6]
    both = "".join(e.text for e in deltas) + " " + other.commit().text
    assert both.split() == text(*numbers).split()
