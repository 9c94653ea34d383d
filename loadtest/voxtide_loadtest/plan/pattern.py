"""When sessions come, and how many are open at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .lengths import Lengths, Seconds

DAY = 86_400.0
_BATCH = 8192


@dataclass(frozen=True)
class Pattern:
    """A day that repeats: Poisson arrivals at a rate that changes with the time of day.

    Attributes:
        sessions_per_hour: mean over the day.
        curve: relative rates of equal parts of the day, from midnight on; one: all day the same.
        lengths: how long sessions last.
    """

    sessions_per_hour: float
    curve: tuple[float, ...]
    lengths: Lengths

    @property
    def part(self) -> float:
        """Length of a part of the curve in seconds."""
        return DAY / len(self.curve)

    @property
    def rates(self) -> Seconds:
        """Sessions a second, in each part of the curve."""
        curve = np.array(self.curve)
        return curve / curve.mean() * self.sessions_per_hour / 3600

    def rate(self, times: Seconds) -> Seconds:
        """Sessions a second at times."""
        return self.rates[(times % DAY // self.part).astype(int)]

    def streams(self, times: Seconds) -> Seconds:
        """Offered streams at times: all sessions that have begun and would not have ended.

        The mean of an infinite-server queue, E[arrivals in (t - S, t]] for a length S, after
        S. G. Eick, W. A. Massey, W. Whitt, "The physics of the Mt/G/infinity queue", Operations
        Research 41 (1993). It comes later than the rate, and is flatter, by the length of a
        session. Erlang's formulas take it as their load, as D. L. Jagerman's modified offered
        load does ("Nonstationary blocking in telephone traffic", BSTJ 54, 1975).
        """
        began = times[:, None] - self.lengths.points()[None, :]
        offered: Seconds = self._arrived(times) - self._arrived(began).mean(axis=1)
        return offered

    def arrivals(self, rng: np.random.Generator, start: float, end: float) -> Iterator[float]:
        """Times of arrivals between two times, in order.

        By thinning (P. A. W. Lewis, G. S. Shedler, Naval Research Logistics 26, 1979): arrivals
        at the greatest rate, of which each is kept with the share that its time's rate is of it.
        """
        greatest = float(self.rates.max())
        now = start
        while now < end:
            times = now + np.cumsum(rng.exponential(1 / greatest, _BATCH))
            now = float(times[-1])
            kept = times[rng.random(_BATCH) * greatest < self.rate(times)]
            yield from kept[kept < end].tolist()

    def _arrived(self, times: Seconds) -> Seconds:
        """Sessions expected from midnight of the first day on; negative before it."""
        edges = np.arange(len(self.curve) + 1) * self.part
        sums = np.concatenate([[0.0], np.cumsum(self.rates * self.part)])
        whole_days = np.floor(times / DAY)
        return whole_days * sums[-1] + np.interp(times - whole_days * DAY, edges, sums)
