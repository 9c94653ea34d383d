"""Whether two runs over the same utterances differ: by how much, how surely.

Both runs are drawn together, so what makes an utterance hard for both cancels out. The interval of
the difference comes from the paired bootstrap (Bisani and Ney, ICASSP 2004), the p-value from
approximate randomisation (Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989): were
the two runs the same, exchanging them in half of the groups would change the difference only by
chance. Groups are those of `intervals.groups`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .intervals import CONFIDENCE, DRAWS, SEED, By, Floats, Groups, blocks, draws, ends, summed


@dataclass(frozen=True)
class Sums:
    """A figure of a run as a ratio of sums over utterances.

    Attributes:
        above: of each utterance, such as its errors.
        below: of each utterance, such as its words.
    """

    above: Sequence[float]
    below: Sequence[float]


@dataclass(frozen=True)
class Difference:
    """A figure of a run less that of a base.

    Attributes:
        run: the figure of the run.
        base: that of the base.
        value: run less base.
        low: lower end of the interval of `value`.
        high: upper end.
        confidence: of the interval: with 0.95, 2.5 % of the draws lie beyond each end.
        p: how probable a difference at least as large is, in either direction, if the runs are
            equal; not below 1 / (`DRAWS` + 1).
        by: what was drawn.
        groups: how many of those there are.
    """

    run: float
    base: float
    value: float
    low: float
    high: float
    confidence: float
    p: float
    by: By
    groups: int


def difference(
    run: Sums, base: Sums, by: Groups, confidence: float = CONFIDENCE
) -> Difference | None:
    """Compare a figure of two runs over the same utterances.

    Args:
        run: sums of the run.
        base: sums of the base, utterance by utterance the same.
        by: groups of the utterances.
        confidence: of the interval, above 0 and below 1.

    Returns:
        The difference; None where a run has nothing to divide by.
    """
    ours = np.array([summed(run.above, by), summed(run.below, by)])
    theirs = np.array([summed(base.above, by), summed(base.below, by)])
    if not ours[1].sum() or not theirs[1].sum():
        return None
    one, other = ours[0].sum() / ours[1].sum(), theirs[0].sum() / theirs[1].sum()
    drawn = _drawn(ours, theirs, by)
    low, high = ends(drawn, confidence)
    value = float(one - other)
    p = _p(ours, theirs, value, by)
    return Difference(float(one), float(other), value, low, high, confidence, p, by.by, by.count)


def _drawn(ours: Floats, theirs: Floats, by: Groups) -> Floats:
    drawn = []
    for times in draws(by.count):
        a, n, b, m = times @ ours[0], times @ ours[1], times @ theirs[0], times @ theirs[1]
        some = (n > 0) & (m > 0)
        drawn.append(a[some] / n[some] - b[some] / m[some])
    return np.concatenate(drawn)


def _p(ours: Floats, theirs: Floats, value: float, by: Groups) -> float:
    """Exchange the runs in each group with a chance of one half."""
    random = np.random.default_rng(SEED + 1)
    total, gap = ours + theirs, theirs - ours
    as_far = 0
    for size in blocks(by.count):
        swapped = random.integers(0, 2, size=(size, by.count)).astype(float)
        moved = [ours[row].sum() + swapped @ gap[row] for row in (0, 1)]
        rest = [total[row].sum() - moved[row] for row in (0, 1)]
        with np.errstate(divide="ignore", invalid="ignore"):
            differences = moved[0] / moved[1] - rest[0] / rest[1]
        as_far += int(np.sum(np.abs(differences) >= abs(value) - 1e-12))
    return (as_far + 1) / (DRAWS + 1)
