"""What can be said of one turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxtide_loadtest.corpus import Clip
from voxtide_loadtest.turn import (
    TimedWord,
    Turn,
    against,
    finalisation,
    first_token,
    first_word,
    lags,
    live_words,
    timed,
    unsaid,
)
from voxtide_loadtest.words import Delta

CLIP = Clip("a", Path("a"), ("one", "two", "three"), (1.0, 2.0, 3.0), begins=0.5)
START = 100.0


def turn(*deltas: Delta, clip: Clip = CLIP, final: str | None = None, at: float = 104.0) -> Turn:
    return Turn(
        clip,
        began=START,
        position=10.0,
        committed=103.0,
        deltas=list(deltas),
        final=final,
        finalised=None if final is None else at,
    )


def test_times_to_the_first_token_and_word_are_from_the_first_sample_of_speech() -> None:
    seen = turn(Delta(101.2, "o"), Delta(101.5, "ne"))
    assert first_token(seen) == pytest.approx(0.7)
    assert first_word(seen, live_words(seen)) == pytest.approx(1.0)
    assert first_token(turn()) is None
    assert first_word(turn(), []) is None


def test_a_word_is_timed_from_its_end_as_it_was_spoken() -> None:
    seen = turn(Delta(101.5, "one"), Delta(103.9, " three"))
    words = timed(seen, live_words(seen))
    assert [(word.index, word.spoken, word.arrival) for word in words] == [
        (0, 101.0, 101.5),
        (2, 103.0, 103.9),
    ]
    assert [word.latency for word in words] == pytest.approx([0.5, 0.9])


def test_a_word_that_was_heard_as_another_one_is_not_timed() -> None:
    seen = turn(Delta(101.5, "one"), Delta(102.5, " too"), Delta(103.5, " three"))
    assert [word.index for word in timed(seen, live_words(seen))] == [0, 2]


def test_without_times_in_the_corpus_the_servers_times_serve() -> None:
    clip = Clip("b", Path("b"), ("one",))
    seen = turn(Delta(101.5, "one", 11.0), Delta(102.0, " two"), clip=clip)
    # 11 s of the session's audio are 1 s of this turn's.
    (word,) = timed(seen, live_words(seen))
    assert (word.index, word.latency) == (None, pytest.approx(0.5))


def test_finalisation_is_from_the_commit() -> None:
    assert finalisation(turn(final="one", at=103.4)) == pytest.approx(0.4)
    assert finalisation(turn()) is None


def test_lag_is_how_long_the_oldest_word_that_is_not_out_has_been_spoken() -> None:
    words = [TimedWord(0, 100.0, 100.5), TimedWord(1, 101.0, 104.0), TimedWord(2, 102.0, 104.0)]
    behind = [(101.5, 0.5), (102.0, 1.0), (102.5, 1.5), (103.0, 2.0), (103.5, 2.5)]
    assert list(lags(words, 0.5)) == behind


def test_there_is_no_lag_where_nothing_is_missing() -> None:
    assert list(lags([], 0.5)) == []
    assert list(lags([TimedWord(0, 100.1, 100.2)], 0.5)) == []


def test_a_final_transcript_is_compared_with_what_was_said_and_with_what_came_live() -> None:
    seen = turn(Delta(101.5, "one"), final="One, three.")
    assert CLIP.words is not None
    assert against(seen, CLIP.words).lost == 1
    assert unsaid(seen, live_words(seen)) == 1
