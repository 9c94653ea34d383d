"""Words: cutting, arrivals, and how one transcript differs from another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_loadtest.words import Alignment, Delta, align, heard, tokens


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Turn on, the Light.", None, ["turn", "on", "the", "light"]),
        ("don't 'quote' twenty-five", "en", ["don't", "quote", "twenty", "five"]),
        ("今日は、晴れ。", "ja", ["今", "日", "は", "晴", "れ"]),
        ("Straße", "de-DE", ["strasse"]),
        ("", None, []),
    ],
)
def test_tokens_are_words_without_case_and_punctuation(
    text: str, language: str | None, words: list[str]
) -> None:
    assert tokens(text, language) == words


def test_a_word_arrives_with_its_last_letter() -> None:
    deltas = [Delta(1.0, "tw"), Delta(2.0, "enty", 0.8), Delta(3.0, " four"), Delta(4.0, " ok")]
    assert [(word.text, word.arrival, word.end) for word in heard(deltas)] == [
        ("twenty", 2.0, 0.8),
        ("four", 3.0, None),
        ("ok", 4.0, None),
    ]


def test_a_delta_may_bring_words_and_the_start_of_one() -> None:
    words = heard([Delta(1.0, "one two thr"), Delta(2.0, "ee.")])
    assert [(word.text, word.arrival) for word in words] == [
        ("one", 1.0),
        ("two", 1.0),
        ("three", 2.0),
    ]


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        ("a b c d", Alignment(((0, 0), (1, 1), (2, 2), (3, 3)))),
        ("a c d", Alignment(((0, 0), (2, 1), (3, 2)), lost=1)),
        ("a b b c d", Alignment(((0, 0), (1, 2), (2, 3), (3, 4)), doubled=1)),
        ("a b x c d", Alignment(((0, 0), (1, 1), (2, 3), (3, 4)), inserted=1)),
        ("a x c d", Alignment(((0, 0), (2, 2), (3, 3)), substituted=1)),
        ("", Alignment((), lost=4)),
    ],
)
def test_each_kind_of_difference_is_told_apart(hypothesis: str, expected: Alignment) -> None:
    found = align(["a", "b", "c", "d"], hypothesis.split())
    counts = (found.lost, found.doubled, found.inserted, found.substituted)
    assert counts == (
        expected.lost,
        expected.doubled,
        expected.inserted,
        expected.substituted,
    )
    assert len(found.pairs) == len(expected.pairs)


def test_a_phrase_that_comes_twice_is_doubled() -> None:
    assert align(["a", "b", "c", "d"], ["a", "b", "c", "b", "c", "d"]).doubled == 2


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_every_word_is_accounted_for(reference: list[str], hypothesis: list[str]) -> None:
    found = align(reference, hypothesis)
    assert len(found.pairs) + found.lost + found.substituted == len(reference)
    extra = found.doubled + found.inserted + found.substituted
    assert len(found.pairs) + extra == len(hypothesis)
    assert all(reference[here] == hypothesis[there] for here, there in found.pairs)
