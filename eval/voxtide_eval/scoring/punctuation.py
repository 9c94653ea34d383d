"""Punctuation and case, apart from the words, on texts as they are.

Only words that were heard as they were said, case aside, are looked at: what mark follows them
there and here, and how they are written. So a wrong word is not counted again as a wrong mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..manifest import Heard
from .alignment import align, units

_MARKS = {
    ".": "。．।۔｡…",
    ",": "，、،､",
    "?": "？؟",
    "!": "！",
    ";": "；؛",
    ":": "：",
}
_SAME = {other: mark for mark, others in _MARKS.items() for other in mark + others}
_SIGNS = "\"'“”„‘’‚«»‹›「」『』()[]{}<>¿¡*-–—" + "".join(_SAME)
"""What a word does not begin or end with."""


@dataclass(frozen=True)
class Punctuation:
    """Marks after words and the case of words.

    Attributes:
        said: marks after matched words of the reference.
        same: of those, heard as the same mark.
        substituted: heard as another mark.
        deleted: not heard.
        inserted: heard where there is none.
        cased: matched words that can have case.
        same_case: of those, written alike.
    """

    said: int
    same: int
    substituted: int
    deleted: int
    inserted: int
    cased: int
    same_case: int

    @property
    def error_rate(self) -> float | None:
        """Wrong marks by marks that were said; None: the reference has none."""
        wrong = self.substituted + self.deleted + self.inserted
        return wrong / self.said if self.said else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall, from 0 to 1; None: the reference has none."""
        heard = self.same + self.substituted + self.inserted
        return 2 * self.same / (heard + self.said) if self.said else None

    @property
    def case_accuracy(self) -> float | None:
        """From 0 to 1; None: the references are written in one case, so nobody knows."""
        return self.same_case / self.cased if self.cased else None


@dataclass(frozen=True)
class Token:
    """A word as it is written and the mark after it, which may be empty."""

    text: str
    mark: str


def punctuation(heard: Sequence[Heard], metric: str) -> Punctuation:
    """Compare marks and case.

    Args:
        heard: utterances.
        metric: "cer": each character is a word.
    """
    said = [tokens(one.reference, metric) for one in heard]
    came = [tokens(one.hypothesis, metric) for one in heard]
    aligned = align([_folded(row) for row in said], [_folded(row) for row in came])
    pairs = [
        (ours[a], theirs[b])
        for one, ours, theirs in zip(aligned, said, came, strict=True)
        for a, b in one.pairs
    ]
    cased = [(ours, theirs) for ours, theirs in pairs if ours.text.lower() != ours.text.upper()]
    both = _in_both_cases(said)
    return Punctuation(
        *_marks(pairs),
        len(cased) if both else 0,
        sum(ours.text == theirs.text for ours, theirs in cased) if both else 0,
    )


def tokens(text: str, metric: str) -> list[Token]:
    """Words with the marks after them; other signs around words are left out."""
    found: list[Token] = []
    for piece in units(text, metric):
        word = piece.strip(_SIGNS)
        after = piece[piece.index(word) + len(word) :] if word else piece
        mark = next((_SAME[sign] for sign in after if sign in _SAME), "")
        if word:
            found.append(Token(word, mark))
        elif found and not found[-1].mark:  # it stands alone, as in French; the first one counts
            found[-1] = Token(found[-1].text, mark)
    return found


def _marks(pairs: Sequence[tuple[Token, Token]]) -> tuple[int, int, int, int, int]:
    said = [(ours.mark, theirs.mark) for ours, theirs in pairs if ours.mark]
    same = sum(ours == theirs for ours, theirs in said)
    deleted = sum(not theirs for _, theirs in said)
    inserted = sum(bool(theirs.mark) and not ours.mark for ours, theirs in pairs)
    return len(said), same, len(said) - same - deleted, deleted, inserted


def _folded(row: Sequence[Token]) -> list[str]:
    return [token.text.casefold().replace("’", "'") for token in row]


def _in_both_cases(said: Sequence[Sequence[Token]]) -> bool:
    text = "".join(token.text for row in said for token in row)
    return text not in (text.lower(), text.upper())
