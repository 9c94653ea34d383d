"""Errors are counted as jiwer counts them, and as one counts them by hand."""

from __future__ import annotations

import jiwer
import pytest

from tests.eval.made import pairs
from voxtide_eval.scoring import score
from voxtide_eval.scoring.alignment import Counts, align, units

BY_HAND = [
    # said, heard, (words said, substitutions, deletions, insertions)
    ("turn on the light", "turn on the light", (4, 0, 0, 0)),
    ("turn on the light", "turn off the light", (4, 1, 0, 0)),
    ("turn on the light", "turn the light", (4, 0, 1, 0)),
    ("turn on the light", "please turn on the light", (4, 0, 0, 1)),
    ("turn on the light", "", (4, 0, 4, 0)),
    ("", "thank you", (0, 0, 0, 2)),
    ("", "", (0, 0, 0, 0)),
    ("one two three", "four five six", (3, 3, 0, 0)),
    ("one two three four", "two three five four five", (4, 0, 1, 2)),
    ("Yes, it's Five!", "yes it's five five", (4, 0, 0, 1)),  # yes, it, s, five
]


@pytest.mark.parametrize(("said", "heard", "counts"), BY_HAND)
def test_counts_are_those_by_hand(said: str, heard: str, counts: tuple[int, int, int, int]) -> None:
    [scored] = score(pairs((said, heard))).utterances
    assert scored.counts == Counts(*counts)


def test_the_pooled_rate_is_errors_by_words_and_jiwers() -> None:
    made = score(pairs(*((said, heard) for said, heard, _ in BY_HAND)))
    words = sum(row[0] for *_, row in BY_HAND)
    errors = sum(sum(row[1:]) for *_, row in BY_HAND)
    assert made.total.counts.units == words == 31
    assert made.total.counts.errors == errors == 16
    assert made.total.rate is not None
    assert made.total.rate.value == pytest.approx(16 / 31)
    texts = [scored.aligned for scored in made.utterances]
    theirs = jiwer.wer(
        [" ".join(one.reference) for one in texts], [" ".join(one.hypothesis) for one in texts]
    )
    assert made.total.rate.value == pytest.approx(theirs)


def test_characters_are_counted_as_jiwer_does() -> None:
    texts = [("今天天气很好", "今天天汽好吗"), ("東京 都", "東京都")]
    made = score(pairs(*texts, metric="cer", normaliser="characters"))
    assert (made.total.counts.units, made.total.counts.errors) == (9, 3)
    assert made.total.rate is not None
    theirs = jiwer.cer([said.replace(" ", "") for said, _ in texts], [h for _, h in texts])
    assert made.total.rate.value == pytest.approx(theirs)


def test_every_unit_is_in_one_step_in_order() -> None:
    [one] = align([["a", "b", "c", "d"]], [["b", "x", "d", "e"]])
    assert [step.reference for step in one.steps if step.reference is not None] == [0, 1, 2, 3]
    assert [step.hypothesis for step in one.steps if step.hypothesis is not None] == [0, 1, 2, 3]
    assert one.pairs == [(1, 0), (3, 2)]


def test_nothing_is_aligned_with_nothing() -> None:
    assert align([], []) == []
    assert units(" \n", "wer") == units("", "cer") == []
