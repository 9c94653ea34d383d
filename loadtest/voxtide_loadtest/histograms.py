"""Histograms of times that merge without loss: percentiles are never averaged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram

_UNIT_S = 1e-6
_HIGHEST = 3_600_000_000
"""An hour, in microseconds: what lasts longer counts as an hour."""
_DIGITS = 3
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9}


class Histogram:
    """Times from 1 microsecond to an hour, each kept to three digits (HdrHistogram).

    A latency that is not above zero is no latency: the server said the word before it had been
    spoken, or the words were matched wrongly. It is counted in `early`, and is in no percentile.
    """

    def __init__(self) -> None:
        self._counts = HdrHistogram(1, _HIGHEST, _DIGITS)
        self.early = 0

    def record(self, seconds: float) -> None:
        """One time."""
        value = round(seconds / _UNIT_S)
        if value < 1:
            self.early += 1
        else:
            self._counts.record_value(min(value, _HIGHEST))

    def record_all(self, times: Iterable[float]) -> None:
        """Some times in seconds."""
        for seconds in times:
            self.record(seconds)

    def __len__(self) -> int:
        return int(self._counts.get_total_count())

    def percentile_ms(self, percent: float) -> float | None:
        """The value, in milliseconds, that so many per cent of the times do not exceed."""
        if not len(self):
            return None
        value: int = self._counts.get_value_at_percentile(percent)
        return round(value * _UNIT_S * 1000, 3)

    def above(self, seconds: float) -> int:
        """How many times are longer, to three digits."""
        return sum(count for time, count in self.recorded() if time > seconds)

    def recorded(self) -> list[tuple[float, int]]:
        """The times in seconds, to three digits and rising, and how often each was recorded.

        The library's own iterators look at each of some 25,000 counts in Python.
        """
        counts = np.ctypeslib.as_array(self._counts.counts)
        return [(self._middle(int(at)) * _UNIT_S, int(counts[at])) for at in np.flatnonzero(counts)]

    def _middle(self, index: int) -> float:
        """Of the values that are counted there."""
        least: int = self._counts.get_value_from_index(index)
        most: int = self._counts.get_highest_equivalent_value(least)
        return (least + most) / 2

    def merge(self, other: Histogram) -> None:
        """Take in the times of another one."""
        self._counts.add(other._counts)
        self.early += other.early

    def summary(self) -> dict[str, float | int | None]:
        """`n`, `early`, and in milliseconds the percentiles, mean and maximum (null without n)."""
        if not len(self):
            nothing = dict.fromkeys((*PERCENTILES, "mean", "max"))
            return {"n": 0, "early": self.early, **nothing}
        return {
            "n": len(self),
            "early": self.early,
            **{name: self.percentile_ms(percent) for name, percent in PERCENTILES.items()},
            "mean": round(self._mean() * 1000, 3),
            "max": round(self._counts.get_max_value() * _UNIT_S * 1000, 3),
        }

    def _mean(self) -> float:
        return sum(time * count for time, count in self.recorded()) / len(self)

    def encoded(self) -> dict[str, Any]:
        """What `decoded` takes: HdrHistogram's compressed form (V2, base64), in microseconds."""
        return {"hdr": self._counts.encode().decode(), "early": self.early}

    @classmethod
    def decoded(cls, data: dict[str, Any]) -> Histogram:
        """From `encoded`."""
        histogram = cls()
        histogram._counts.decode_and_add(data["hdr"])
        histogram.early = int(data["early"])
        return histogram


class Series:
    """Times over time: a histogram for each so many seconds of the clock on the wall.

    Args:
        bin_s: how many.

    Attributes:
        bins: by Unix time divided by `bin_s`, rounded down, so that those of several machines
            and of a server's metrics fall together.
    """

    def __init__(self, bin_s: int) -> None:
        self.bin_s = bin_s
        self.bins: dict[int, Histogram] = {}

    def record(self, unix_s: float, seconds: float) -> None:
        """One time, measured at that moment."""
        self._bin(int(unix_s // self.bin_s)).record(seconds)

    def merge(self, other: Series) -> None:
        """Take in the times of another one with bins of the same size."""
        for at, histogram in other.bins.items():
            self._bin(at).merge(histogram)

    def _bin(self, at: int) -> Histogram:
        if at not in self.bins:
            self.bins[at] = Histogram()  # a millisecond's worth: not for each record
        return self.bins[at]

    def encoded(self) -> dict[str, Any]:
        """What `decoded` takes."""
        return {str(at): histogram.encoded() for at, histogram in self.bins.items()}

    @classmethod
    def decoded(cls, data: dict[str, Any], bin_s: int) -> Series:
        """From `encoded`."""
        series = cls(bin_s)
        series.bins = {int(at): Histogram.decoded(item) for at, item in data.items()}
        return series
