"""Whether something grows: the slope of a line by least squares, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

_LEAST_FREEDOM = 3
"""Degrees of freedom without which nothing is said."""


@dataclass(frozen=True)
class Slope:
    """A slope, per second of the times, with its 95 % confidence interval.

    Attributes:
        estimate, low, high: of the slope.
        samples: that it is from.
        independent: as how many independent samples they count.
    """

    estimate: float
    low: float
    high: float
    samples: int
    independent: float

    @property
    def grows(self) -> bool:
        """Whether the interval lies above zero."""
        return self.low > 0


def slope(times_s: Sequence[float], values: Sequence[float]) -> Slope | None:
    """Fit a line.

    Samples that follow each other are alike, which makes the textbook's interval too narrow. So
    they count as n (1 - r) / (1 + r) independent ones, r being the correlation of a residual with
    the next one: Santer et al., Statistical significance of trends and trend differences in
    layer-average atmospheric temperature time series, J. Geophys. Res. 105 (2000), 7337-7356.

    Args:
        times_s: in seconds, evenly spaced and rising.
        values: as many.

    Returns:
        The slope, or None where the samples are too few to say anything.
    """
    times, measured = np.asarray(times_s, float), np.asarray(values, float)
    if len(times) < _LEAST_FREEDOM + 2:
        return None
    away = times - times.mean()
    spread = float(away @ away)
    estimate = float(away @ measured) / spread
    residuals = measured - measured.mean() - estimate * away
    independent = len(times) * _independence(residuals)
    freedom = independent - 2
    if freedom < _LEAST_FREEDOM:
        return None
    error = float(np.sqrt(residuals @ residuals / freedom / spread))
    half = student_t(freedom) * error
    return Slope(estimate, estimate - half, estimate + half, len(times), independent)


def student_t(freedom: float) -> float:
    """The quantile 0.975 of Student's distribution, to 1 % from 3 degrees of freedom on.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z = NormalDist().inv_cdf(0.975)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def _independence(residuals: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The share of samples that count, in (0, 1]."""
    total = float(residuals @ residuals)
    if total == 0.0:
        return 1.0
    r = float(residuals[1:] @ residuals[:-1]) / total
    r = min(max(r, 0.0), 1.0)
    return (1 - r) / (1 + r)
