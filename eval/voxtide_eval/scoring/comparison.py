"""Two runs over the same utterances, measure by measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .intervals import CONFIDENCE
from .paired import Difference, Sums, difference
from .score import Score, Scored

_SAME = ("dataset", "split", "revision", "language", "metric", "normaliser")


class NotComparable(ValueError):
    """Two runs cannot be compared; the message is a sentence that says why."""


@dataclass(frozen=True)
class Comparison:
    """A run less a base.

    Attributes:
        accuracy: error rates; 0.01 is a percentage point.
        words: mean latencies of words, in seconds; None where the ways are not both "realtime" or
            a run has no times.
        final: mean times to the final transcript, in seconds; None where the ways differ or a run
            has none.
    """

    accuracy: Difference
    words: Difference | None
    final: Difference | None


def compare(run: Score, base: Score, confidence: float = CONFIDENCE) -> Comparison:
    """Compare two runs.

    Args:
        confidence: of the intervals, above 0 and below 1.

    Raises:
        NotComparable: they are not over the same utterances, or no word was said in them.
    """
    ours, theirs = run.utterances, _in_order(run, base)
    accuracy = _difference(run, ours, theirs, _errors, confidence)
    if accuracy is None:
        raise NotComparable("The runs cannot be compared: no reference has a word.")
    same_way = run.run.way == base.run.way
    return Comparison(
        accuracy,
        _difference(run, ours, theirs, _latencies, confidence) if same_way else None,
        _difference(run, ours, theirs, _finals, confidence) if same_way else None,
    )


def _difference(
    run: Score,
    ours: Sequence[Scored],
    theirs: Sequence[Scored],
    sums: Callable[[Sequence[Scored]], Sums],
    confidence: float,
) -> Difference | None:
    return difference(sums(ours), sums(theirs), run.by, confidence)


def _in_order(run: Score, base: Score) -> list[Scored]:
    """The base's utterances in the order of the run's."""
    if told := next(_differing(run, base), None):
        raise NotComparable(f"The runs cannot be compared: {told}.")
    found = {one.heard.id: one for one in base.utterances}
    return [found[one.heard.id] for one in run.utterances]


def _differing(run: Score, base: Score) -> Iterator[str]:
    for name in _SAME:
        ours, theirs = getattr(run.run, name), getattr(base.run, name)
        if ours != theirs:
            yield f"the {name} is {ours!r} here and {theirs!r} there"
    here = {one.heard.id: one for one in run.utterances}
    there = {one.heard.id: one for one in base.utterances}
    for alone, place in (
        (here.keys() - there.keys(), "here"),
        (there.keys() - here.keys(), "there"),
    ):
        if alone:
            yield f"{len(alone)} utterances are {place} alone, such as {min(alone)!r}"
    for name, one in here.items():
        if one.heard.reference != there[name].heard.reference:
            yield f"utterance {name!r} has another reference here than there"


def _errors(utterances: Sequence[Scored]) -> Sums:
    counts = [one.counts for one in utterances]
    return Sums([one.errors for one in counts], [one.units for one in counts])


def _latencies(utterances: Sequence[Scored]) -> Sums:
    lates = [one.late.seconds for one in utterances]
    return Sums([sum(one) for one in lates], [len(one) for one in lates])


def _finals(utterances: Sequence[Scored]) -> Sums:
    finals = [one.heard.final_s for one in utterances]
    return Sums([one or 0.0 for one in finals], [one is not None for one in finals])
