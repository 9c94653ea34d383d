"""How long sessions last."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.floating[Any]]

_POINTS = (np.arange(1000) + 0.5) / 1000


class Lengths(Protocol):
    """A distribution of session lengths in seconds."""

    @property
    def mean(self) -> float:
        """Mean, more than 0."""

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Random lengths."""

    def points(self) -> Seconds:
        """Up to 1000 equally likely lengths that stand for the distribution and have its mean."""


@dataclass(frozen=True)
class Fixed:
    """All sessions last as long."""

    mean: float

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Random lengths."""
        return np.full(count, self.mean)

    def points(self) -> Seconds:
        """Of all, the one length."""
        return np.array([self.mean])


@dataclass(frozen=True)
class Exponential:
    """Ends are as likely at any age: what Erlang C assumes."""

    mean: float

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Random lengths."""
        return rng.exponential(self.mean, count)

    def points(self) -> Seconds:
        """Equally likely lengths."""
        return _with_mean(-np.log1p(-_POINTS), self.mean)


@dataclass(frozen=True)
class Lognormal:
    """Many short sessions and a few long ones, as calls mostly are.

    Attributes:
        mean: in seconds.
        variation: standard deviation over mean.
    """

    mean: float
    variation: float

    @property
    def _sigma(self) -> float:
        return float(np.sqrt(np.log1p(self.variation**2)))

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Random lengths."""
        return rng.lognormal(np.log(self.mean) - self._sigma**2 / 2, self._sigma, count)

    def points(self) -> Seconds:
        """Equally likely lengths."""
        normal = [NormalDist().inv_cdf(point) for point in _POINTS]
        return _with_mean(np.exp(self._sigma * np.array(normal)), self.mean)


@dataclass(frozen=True)
class Empirical:
    """Lengths that were seen, each as likely as the others."""

    seen: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of what was seen."""
        return float(np.mean(self.seen))

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Random lengths."""
        return rng.choice(np.array(self.seen), count)

    def points(self) -> Seconds:
        """Equally likely lengths."""
        return _with_mean(np.quantile(self.seen, _POINTS, method="inverted_cdf"), self.mean)


NAMED: dict[str, Callable[..., Lengths]] = {
    "exponential": Exponential,
    "fixed": Fixed,
    "lognormal": Lognormal,
}
"""Distributions by the name that the user gives, and as many numbers as each has fields."""


def _with_mean(points: Seconds, mean: float) -> Seconds:
    """The points lack the tail beyond the last of them; their mean is put right."""
    scaled: Seconds = points * (mean / points.mean())
    return scaled
