"""When sessions come, and how many are open at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .lengths import Lengths, Seconds

Counts = npt.NDArray[np.int64]

DAY = 86_400.0
_BATCH = 8192


@dataclass(frozen=True)
class Pattern:
    """A day that repeats: Poisson arrivals at a rate that changes with the time of day.

    The rate goes in straight lines from one part of the curve to the next: people do not come
    by the stroke of the clock.

    Attributes:
        sessions_per_hour: mean over the day.
        curve: relative rates in the middles of equal parts of the day, from midnight on; one: all
            day the same.
        lengths: how long sessions last.
    """

    sessions_per_hour: float
    curve: tuple[float, ...]
    lengths: Lengths

    @property
    def rates(self) -> Seconds:
        """Sessions a second, in the middle of each part of the curve."""
        curve = np.array(self.curve)
        rates: Seconds = curve / curve.mean() * self.sessions_per_hour / 3600
        return rates

    def rate(self, times: Seconds) -> Seconds:
        """Sessions a second at times: straight lines between the middles of the parts."""
        part, _, since, rate, slope = self._lines(times)
        return rate[part] + slope[part] * since

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
        """Sessions expected from the first day on: the integral of the rate, but for a constant."""
        part, day, since, rate, slope = self._lines(times)
        length = DAY / len(rate)
        whole = (rate + slope * length / 2) * length
        before = np.cumsum(whole) - whole
        in_part = (rate[part] + slope[part] * since / 2) * since
        arrived: Seconds = day * whole.sum() + before[part] + in_part
        return arrived

    def _lines(self, times: Seconds) -> tuple[Counts, Counts, Seconds, Seconds, Seconds]:
        """The line that each time lies on: part and day, and seconds since its beginning.

        And of all lines: the rate at the beginning, and what it changes by in a second.
        """
        rate = self.rates
        length = DAY / len(rate)
        since_middle = times - length / 2
        count = np.floor(since_middle / length).astype(np.int64)
        day, part = np.divmod(count, len(rate))
        return part, day, since_middle - count * length, rate, (np.roll(rate, -1) - rate) / length
