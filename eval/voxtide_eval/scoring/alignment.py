"""What was said and what was heard, side by side, by the fewest edits (jiwer)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import jiwer

Operation = Literal["equal", "substitute", "delete", "insert"]
Normalise = Callable[[str], str]


@dataclass(frozen=True)
class Step:
    """One place of an alignment.

    Attributes:
        operation: what happened there.
        reference: position of the unit that was said; None where one was inserted.
        hypothesis: position of the unit that was heard; None where one was deleted.
    """

    operation: Operation
    reference: int | None
    hypothesis: int | None


@dataclass(frozen=True)
class Alignment:
    """Units (words, or characters for a character error rate) that were said and heard.

    Attributes:
        reference: units that were said.
        hypothesis: units that were heard.
        steps: from the first to the last; each unit is in one of them.
    """

    reference: tuple[str, ...]
    hypothesis: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def counts(self) -> Counts:
        """Of the edits."""
        made = [step.operation for step in self.steps]
        return Counts(
            len(self.reference),
            made.count("substitute"),
            made.count("delete"),
            made.count("insert"),
        )

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Positions (said, heard) of units that are the same."""
        return [
            (step.reference, step.hypothesis)
            for step in self.steps
            if step.operation == "equal"
            and step.reference is not None
            and step.hypothesis is not None
        ]


@dataclass(frozen=True)
class Counts:
    """Edits between what was said and what was heard; can be added up.

    Attributes:
        units: that were said.
        substitutions: units that were heard as others.
        deletions: units that were not heard.
        insertions: units that were not said.
    """

    units: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.units + other.units,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def errors(self) -> int:
        """Edits in all."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Error rate, from 0 on: errors by units that were said; None: nothing was said."""
        return self.errors / self.units if self.units else None


def units(text: str, metric: str) -> list[str]:
    """What is counted of a normalised text: its words ("wer"), or its characters ("cer").

    White space is no character: where characters are counted, the languages are written without
    it or put it where they like.
    """
    words = text.split()
    return list("".join(words)) if metric == "cer" else words


def align(references: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]) -> list[Alignment]:
    """Align each list of units with its counterpart.

    Args:
        references: units that were said, without white space in them; lists may be empty.
        heard: units that were heard, as many lists.
    """
    if not references:
        return []
    made = jiwer.process_words([" ".join(one) for one in references], [" ".join(o) for o in heard])
    rows = zip(references, heard, made.alignments, strict=True)
    return [
        Alignment(tuple(said), tuple(came), tuple(step for chunk in chunks for step in _of(chunk)))
        for said, came, chunks in rows
    ]


def _of(chunk: jiwer.AlignmentChunk) -> Iterator[Step]:
    said = range(chunk.ref_start_idx, chunk.ref_end_idx)
    came = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
    match chunk.type:
        case "delete":
            yield from (Step("delete", place, None) for place in said)
        case "insert":
            yield from (Step("insert", None, place) for place in came)
        case "equal" | "substitute" as both:
            yield from (Step(both, *place) for place in zip(said, came, strict=True))
