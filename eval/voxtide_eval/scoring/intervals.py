"""How sure a figure is: 95 % intervals by the bootstrap over speakers or utterances.

What is drawn again and again, with replacement, are groups: utterances of one speaker are alike,
so speakers are drawn as wholes. Where the dataset does not say who speaks, or there are fewer than
`FEWEST_SPEAKERS`, whose spread says little of other speakers, utterances are drawn, and the
interval holds for these speakers alone. Intervals are percentile intervals (Efron and Tibshirani,
An Introduction to the Bootstrap, 1993, chapter 13; for word error rates Bisani and Ney, ICASSP
2004): with few groups they are somewhat too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FEWEST_SPEAKERS = 8
DRAWS = 2000
SEED = 20602
CONFIDENCE = 0.95
_AT_ONCE = 4_000_000
"""Numbers in memory at the most, while groups are drawn."""

Floats = NDArray[np.float64]
By = Literal["speakers", "utterances"]


@dataclass(frozen=True)
class Interval:
    """A figure and where it is believed to lie.

    Attributes:
        value: the figure itself; never smoothed or corrected.
        low: lower end.
        high: upper end.
        by: what was drawn.
        groups: how many of those there are; with one, both ends are the figure.
    """

    value: float
    low: float
    high: float
    by: By
    groups: int


@dataclass(frozen=True)
class Groups:
    """Which utterances are drawn together.

    Attributes:
        of: for each utterance the number of its group, from 0 on.
        count: of groups.
        by: what a group is.
    """

    of: NDArray[np.intp]
    count: int
    by: By


def groups(speakers: Sequence[str]) -> Groups:
    """Speakers where all are known and enough, utterances otherwise.

    Args:
        speakers: of each utterance; empty: unknown.
    """
    names = sorted(set(speakers))
    if "" in names or len(names) < FEWEST_SPEAKERS:
        return Groups(np.arange(len(speakers)), len(speakers), "utterances")
    place = {name: number for number, name in enumerate(names)}
    return Groups(np.array([place[name] for name in speakers]), len(names), "speakers")


def summed(values: Sequence[float], by: Groups) -> Floats:
    """Values of utterances, added up by group."""
    sums = np.bincount(by.of, weights=np.asarray(values, float), minlength=by.count)
    return sums.astype(float)


def ratio(above: Sequence[float], below: Sequence[float], by: Groups) -> Interval | None:
    """A ratio of sums, such as a pooled word error rate: errors by words.

    Args:
        above: of each utterance, such as its errors.
        below: of each utterance, such as its words.
        by: their groups.

    Returns:
        The interval; None where there is nothing to divide by.
    """
    if not sum(below):
        return None
    drawn = _ratios(above, below, by, SEED)
    return _interval(sum(above) / sum(below), drawn[~np.isnan(drawn)], by)


def mean_ratio(parts: Sequence[tuple[Sequence[float], Sequence[float], Groups]]) -> Interval | None:
    """A mean of ratios of independent parts, such as of word error rates in several languages.

    Args:
        parts: of each what `ratio` takes; not empty.

    Returns:
        The interval, `groups` being those of all parts; None where one has nothing to divide by.
    """
    if not all(sum(below) for _, below, _ in parts):
        return None
    each = [_ratios(*part, SEED + place) for place, part in enumerate(parts)]
    drawn = np.mean(each, axis=0)
    low, high = ends(drawn[~np.isnan(drawn)])
    value = sum(sum(above) / sum(below) for above, below, _ in parts) / len(parts)
    by: By = "speakers" if all(one.by == "speakers" for *_, one in parts) else "utterances"
    return Interval(value, low, high, by, sum(one.count for *_, one in parts))


def quantile(values: Sequence[float], owners: Sequence[int], q: float, by: Groups) -> Interval:
    """A quantile of values of which utterances have any number.

    Args:
        values: not empty.
        owners: for each value the number of its utterance.
        q: from 0 to 1; the value is the smallest that a share of `q` does not exceed.
        by: the groups of the utterances.
    """
    order = np.argsort(values, kind="stable")
    sorted_values = np.asarray(values, float)[order]
    owner = by.of[np.asarray(owners)[order]]
    drawn = [_weighted(sorted_values, times[:, owner], q) for times in draws(by.count, len(values))]
    value = _weighted(sorted_values, np.ones((1, len(values))), q)[0]
    return _interval(float(value), np.concatenate(drawn), by)


def draws(count: int, width: int = 0, seed: int = SEED) -> Iterator[Floats]:
    """How often each group is drawn, in each of `DRAWS` draws: the same at each call.

    Args:
        count: of groups.
        width: how many numbers a draw needs beside them.
        seed: of the draws.

    Yields:
        Blocks of shape (draws, count).
    """
    random = np.random.default_rng(seed)
    for size in blocks(max(count, width)):
        drawn = random.integers(0, count, size=(size, count))
        cells = (drawn + count * np.arange(size)[:, np.newaxis]).ravel()
        yield np.bincount(cells, minlength=size * count).reshape(size, count).astype(float)


def blocks(width: int) -> Iterator[int]:
    """`DRAWS` in parts, so that not too many numbers are in memory.

    Args:
        width: numbers for each draw.
    """
    most = max(1, _AT_ONCE // max(width, 1))
    yield from (min(most, DRAWS - start) for start in range(0, DRAWS, most))


def ends(drawn: Floats, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between which ends a share of `confidence` of the drawn figures lies."""
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _ratios(above: Sequence[float], below: Sequence[float], by: Groups, seed: int) -> Floats:
    """The ratio in each draw; NaN where it drew nothing to divide by."""
    numerator, denominator = summed(above, by), summed(below, by)
    drawn = [(times @ numerator, times @ denominator) for times in draws(by.count, seed=seed)]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.concatenate([over / under for over, under in drawn])
    return np.where(np.isfinite(ratios), ratios, np.nan)


def _interval(value: float, drawn: Floats, by: Groups) -> Interval:
    low, high = ends(drawn)
    return Interval(value, low, high, by.by, by.count)


def _weighted(values: Floats, weights: Floats, q: float) -> Floats:
    """The quantile of sorted values, for each row of weights; rows without weight are left out."""
    sums = np.cumsum(weights, axis=1)
    sums = sums[sums[:, -1] > 0]
    reached = sums >= q * sums[:, -1:] - 1e-9
    chosen: Floats = values[reached.argmax(axis=1)]
    return chosen
