"""Sessions that give their place in the engine back while no sample comes."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.drive import WORDS, Drive, every_word_comes_once, heard, text
from tests.fakes.engine import FakeVocabulary, say, silence
from voxtide_server.events import (
    Audio,
    Clear,
    Commit,
)


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
    assert not drive.session._legs.tail._pieces
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
    def pause(drive: Drive, message: int) -> None:
        if message in pauses:
            drive.idle()
            assert not drive.streams

    every_word_comes_once(words, cut, commits, 1_000, pause)
