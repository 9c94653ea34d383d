"""Many measured figures in a few: percentiles that were measured, none between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Distribution:
    """Of figures, in their unit.

    Attributes:
        count: how many there are.
        mean: of all.
        p50: the smallest figure that half of them do not exceed; the others likewise.
        p90: of 90 %.
        p95: of 95 %.
        p99: of 99 %; with less than 100 figures it is the largest.
        largest: of all.
    """

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    largest: float


def distribution(figures: Sequence[float]) -> Distribution | None:
    """Sum figures up; None: there are none."""
    if not figures:
        return None
    shares = np.quantile(figures, [0.5, 0.9, 0.95, 0.99, 1], method="inverted_cdf")
    return Distribution(len(figures), float(np.mean(figures)), *(float(one) for one in shares))
