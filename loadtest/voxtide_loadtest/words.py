"""Words of a transcript: how they are cut, when they arrived, and how they differ from others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_NOT_A_WORD = re.compile(r"[^\w\s']|(?<!\w)'|'(?!\w)")
_WITHOUT_SPACES = frozenset({"zh", "ja", "th"})


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text as it came.

    Attributes:
        arrival: by the monotonic clock, in seconds.
        text: not empty.
        end: where the server says that its word ends, in seconds of the session's audio;
            None where it does not say.
    """

    arrival: float
    text: str
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A word that came in deltas; it is complete with the delta that brought its last letter."""

    text: str
    arrival: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a transcript differs from what it should be, by the fewest edits.

    Attributes:
        pairs: positions (in the reference, in the hypothesis) of words that are in both.
        lost: words of the reference that are not in the hypothesis.
        doubled: words that came once more right beside themselves.
        inserted: other words that are not in the reference.
        substituted: words that were heard as others.
    """

    pairs: tuple[tuple[int, int], ...]
    lost: int = 0
    doubled: int = 0
    inserted: int = 0
    substituted: int = 0

    @property
    def errors(self) -> int:
        """Edits in all: with the words of the reference below, the word error rate."""
        return self.lost + self.doubled + self.inserted + self.substituted


def tokens(text: str, language: str | None = None) -> list[str]:
    """The words of a text without case and punctuation.

    Languages that are written without spaces (zh, ja, th) are cut into characters, so that what
    is counted there is the character error rate.
    """
    plain = _NOT_A_WORD.sub(" ", text.casefold())
    if language is not None and language.split("-")[0] in _WITHOUT_SPACES:
        return [letter for letter in plain if not letter.isspace()]
    return plain.split()


def heard(deltas: Iterable[Delta], language: str | None = None) -> list[Heard]:
    """The words of a turn with their arrivals."""
    pieces = list(deltas)
    text = "".join(delta.text for delta in pieces)
    owner = [delta for delta in pieces for _ in delta.text]
    words = []
    for match in re.finditer(r"\S+", text):
        last = owner[match.end() - 1]
        words += [Heard(token, last.arrival, last.end) for token in tokens(match[0], language)]
    return words


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> Alignment:
    """Compare the words that came with those that should have come."""
    if reference == hypothesis:
        return Alignment(tuple((at, at) for at in range(len(reference))))
    pairs: list[tuple[int, int]] = []
    lost = doubled = inserted = substituted = 0
    for step in Levenshtein.opcodes(reference, hypothesis):
        if step.tag == "equal":
            here, there = range(step.src_start, step.src_end), range(step.dest_start, step.dest_end)
            pairs += zip(here, there, strict=True)
        elif step.tag == "delete":
            lost += step.src_end - step.src_start
        elif step.tag == "replace":
            substituted += step.src_end - step.src_start
        elif _is_echo(hypothesis, step.dest_start, step.dest_end):
            doubled += step.dest_end - step.dest_start
        else:
            inserted += step.dest_end - step.dest_start
    return Alignment(tuple(pairs), lost, doubled, inserted, substituted)


def _is_echo(words: Sequence[str], start: int, end: int) -> bool:
    """Whether words[start:end] stand there again, right before or right after."""
    run, length = list(words[start:end]), end - start
    return run in (list(words[max(0, start - length) : start]), list(words[end : end + length]))
