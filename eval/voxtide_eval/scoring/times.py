"""How far words' times are off, where the reference has times.

Words with times are aligned by their normalised texts. Only words that were heard as they were
said can be off; a word that was heard as another one is an error of the word error rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..manifest import Heard, Word
from .alignment import Normalise, align
from .distribution import Distribution, distribution

Matches = list[tuple[int, int]]
"""Positions (in the reference's words, in `heard_words`) of the same word."""


@dataclass(frozen=True)
class Times:
    """Errors of words' times, in seconds: distances, without sign.

    Attributes:
        start: of starts; None where no reference has any (`has_starts`).
        end: of ends.
        end_bias: mean of ends heard less ends said: positive where words are said to end late.
        matched: share, from 0 to 1, of the references' words with times that were matched.
    """

    start: Distribution | None
    end: Distribution | None
    end_bias: float
    matched: float


def times(heard: Sequence[Heard], matches: Sequence[Matches]) -> Times | None:
    """Sum up errors of times; None where no word with times was matched.

    Args:
        heard: utterances.
        matches: of each utterance.
    """
    pairs = [
        (one.reference_words[said], one.words[came], has_starts(one.reference_words))
        for one, found in zip(heard, matches, strict=True)
        for said, came in found
        if one.words
    ]
    if not pairs:
        return None
    ends = [came.end - said.end for said, came, _ in pairs]
    starts = [abs(came.start - said.start) for said, came, known in pairs if known]
    in_all = sum(len(one.reference_words) for one in heard)
    return Times(
        distribution(starts),
        distribution([abs(one) for one in ends]),
        sum(ends) / len(ends),
        len(pairs) / in_all,
    )


def has_starts(words: Sequence[Word]) -> bool:
    """Whether a reference has starts of its own.

    Where it knows ends alone, datasets let each word start where the one before ends.
    """
    return any(
        word.start != before for word, before in zip(words, _ends_before(words), strict=True)
    )


def matches(heard: Sequence[Heard], normalise: Normalise) -> list[Matches]:
    """For each utterance, which words of a reference with times were heard as they were said."""
    said = [_texts([word.text for word in one.reference_words], normalise) for one in heard]
    came = [_texts(heard_words(one), normalise) for one in heard]
    aligned = align([[text for _, text in row] for row in said], [[t for _, t in r] for r in came])
    return [
        [(ours[a][0], theirs[b][0]) for a, b in one.pairs]
        for one, ours, theirs in zip(aligned, said, came, strict=True)
    ]


def heard_words(heard: Heard) -> list[str]:
    """The words of a hypothesis as the server cut it; by white space where it gave no words."""
    return [word.text for word in heard.words] or heard.hypothesis.split()


def _ends_before(words: Sequence[Word]) -> list[float]:
    return [0.0, *(word.end for word in words[:-1])]


def _texts(words: Sequence[str], normalise: Normalise) -> list[tuple[int, str]]:
    """Places and texts of words of which something is left; one word stays one."""
    texts = [(place, "".join(normalise(word).split())) for place, word in enumerate(words)]
    return [(place, text) for place, text in texts if text]
