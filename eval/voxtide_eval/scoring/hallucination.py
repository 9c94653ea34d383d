"""Words where nothing was said, and nothing where words were said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ..manifest import Heard
from .alignment import Alignment


@dataclass(frozen=True)
class Blank:
    """A time without a word over speech.

    Attributes:
        seconds: how long it is.
        utterance: id of where it is.
        by_reference: whether the reference's times say that there was speech. Else it is the
            longest time between two words (or a word and an edge), pauses of the speaker included.
    """

    seconds: float
    utterance: str
    by_reference: bool


@dataclass(frozen=True)
class Hallucination:
    """What was made up and what was passed over.

    Attributes:
        empty: utterances whose normalised reference is empty.
        empty_minutes: their audio, in minutes.
        words: that were heard in them (characters for a character error rate).
        per_minute: those by minute of that audio; None where there is none.
        run: the most units in a row that were inserted anywhere, as by a model that repeats itself.
        run_in: id of where that is; empty where there is none.
        unheard: utterances with words in which none was heard, errors included.
        blank: the longest time without a word over speech; None where no words have times.
    """

    empty: int
    empty_minutes: float
    words: int
    per_minute: float | None
    run: int
    run_in: str
    unheard: int
    blank: Blank | None


def hallucination(heard: Sequence[Heard], aligned: Sequence[Alignment]) -> Hallucination:
    """Look for both.

    Args:
        heard: utterances.
        aligned: their alignments.
    """
    rows = list(zip(heard, aligned, strict=True))
    empty = [(one, made) for one, made in rows if not made.reference]
    minutes = sum(one.seconds for one, _ in empty) / 60
    words = sum(len(made.hypothesis) for _, made in empty)
    run, run_in = max(((_run(made), one.id) for one, made in rows), default=(0, ""))
    return Hallucination(
        len(empty),
        minutes,
        words,
        words / minutes if minutes else None,
        run,
        run_in if run else "",
        sum(1 for _, made in rows if made.reference and not made.hypothesis),
        _longest([one for one, made in rows if made.reference]),
    )


def _run(aligned: Alignment) -> int:
    runs = groupby(aligned.steps, key=lambda step: step.operation == "insert")
    return max((len(list(steps)) for inserted, steps in runs if inserted), default=0)


def _longest(spoken: Sequence[Heard]) -> Blank | None:
    found = [blank(one) for one in spoken if one.words or (one.reference_words and not one.error)]
    known = [one for one in found if one.by_reference]
    return max(known or found, key=lambda one: one.seconds, default=None)


def blank(heard: Heard) -> Blank:
    """The longest time without a word over the speech of an utterance."""
    edges = [(0.0, 0.0), *((word.start, word.end) for word in heard.words)]
    gaps = list(pairwise([*sorted(edges), (heard.seconds, heard.seconds)]))
    if not heard.reference_words:
        return Blank(max(after[0] - before[1] for before, after in gaps), heard.id, False)
    return Blank(max(_speech(heard, a[1], b[0]) for a, b in gaps), heard.id, True)


def _speech(heard: Heard, start: float, end: float) -> float:
    """From the first to the last word that was said in a gap, in seconds; it counts by its end."""
    within = [word for word in heard.reference_words if start < word.end < end]
    return within[-1].end - max(within[0].start, start) if within else 0.0
