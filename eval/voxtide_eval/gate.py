"""Whether a run may pass beside a base: no significant loss of accuracy or of latency.

A run fails where the loss is larger than a margin with the asked-for confidence: the lower end of
the one-sided interval of the paired bootstrap (`scoring.paired`) lies above the margin. Three
measures are looked at: the pooled error rate, the mean latency of words and the mean time to the
final transcript, the latter two where both runs were made the same way. A loss within the margin
passes, and so does one that the utterances are too few to show.

Its power, by simulation (tests/benchmarks/gate_power.py), with the margin of 0.5 points and 95 %:
the loss of word error rate, in points, that is found at least 8 times in 10, for utterances of 10
words and a base of 10 %.

     words   the base's errors, and more   errors independent of the base's
       500               2.0                             6.0
     1,500               1.25                            3.5
     5,000               1.0                             2.5
    20,000               1.0                             1.5

The same model that loses words is in the middle column, a new model to the right; losses below one
point were not tried. Of 80 runs with as many errors as the base, but elsewhere, 1 was failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .scoring import Score
from .scoring.comparison import Comparison, NotComparable, compare
from .scoring.paired import Difference


@dataclass(frozen=True)
class Limits:
    """How much worse a run may be.

    Attributes:
        points: of error rate, in percentage points; 0 or more.
        latency_ms: of mean latencies, in milliseconds; 0 or more. One frame of the model is 80 ms.
        confidence: with which a loss must be larger than that, one-sided, above 0.5 and below 1.
    """

    points: float = 0.5
    latency_ms: float = 80.0
    confidence: float = 0.95


@dataclass(frozen=True)
class Judged:
    """One measure of a run beside that of the base, in `unit`.

    Attributes:
        measure: its name.
        unit: of all figures.
        run: of the run.
        base: of the base.
        loss: run less base; positive is worse.
        at_least: what the loss is at least, with the confidence asked for.
        allowed: what it may be.
    """

    measure: str
    unit: str
    run: float
    base: float
    loss: float
    at_least: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether the loss is not surely larger than what is allowed."""
        return self.at_least <= self.allowed

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return (
            f"{verdict}: {self.measure} {self.run:.2f} {self.unit}, base {self.base:.2f} "
            f"{self.unit}: loss {self.loss:+.2f}, surely more than {self.at_least:+.2f}, "
            f"allowed {self.allowed:.2f}"
        )


def gate(run: Score, base: Score, limits: Limits = Limits()) -> list[Judged]:
    """Judge a run.

    Returns:
        The measures that both have; the run passes if all of them do.

    Raises:
        NotComparable: the runs are not over the same utterances, or the base has latencies of
            words and the run, made the same way, has none.
    """
    both_ends = 2 * limits.confidence - 1  # below the lower end lies what one side leaves
    found = compare(run, base, both_ends)
    if run.run.way == base.run.way and base.latency.words and not run.latency.words:
        raise NotComparable(
            "The runs cannot be compared: the base has latencies of words and the run has none."
        )
    return list(_judged(found, run.run.metric.upper(), limits))


def _judged(found: Comparison, rate: str, limits: Limits) -> Iterator[Judged]:
    yield _one(rate, "%", found.accuracy, 100, limits.points)
    if found.words:
        yield _one("latency of words", "ms", found.words, 1000, limits.latency_ms)
    if found.final:
        yield _one("time to final", "ms", found.final, 1000, limits.latency_ms)


def _one(measure: str, unit: str, by: Difference, times: float, allowed: float) -> Judged:
    run, base, loss, low = (figure * times for figure in (by.run, by.base, by.value, by.low))
    return Judged(measure, unit, run, base, loss, low, allowed)
