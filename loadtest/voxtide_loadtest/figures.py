"""All that a run has measured so far, in a form that merges over processes and machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .histograms import Histogram, Series

TIMES = (
    "time_to_first_token",
    "time_to_first_word",
    "word_emission_latency",
    "transcript_lag",
    "finalisation_latency",
    "file_latency",
    "schedule_slip",
    "write_blocked",
)
"""What docs/loadtest.md defines under these names."""
OVER_TIME = ("word_emission_latency", "transcript_lag", "finalisation_latency", "schedule_slip")
BIN_S = 5


class Figures:
    """Counts, histograms and series.

    Attributes:
        counts: by name; "refused:server_full" counts one code of many.
        times: by name, of `TIMES`.
        series: by name, of `OVER_TIME`.
        streams: sessions that were open, by second of Unix time.
        said: how often each clip was said to its end and answered.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.times = {name: Histogram() for name in TIMES}
        self.series = {name: Series(BIN_S) for name in OVER_TIME}
        self.streams: Counter[int] = Counter()
        self.said: Counter[str] = Counter()

    def record(self, name: str, seconds: float, unix_s: float) -> None:
        """One time that was measured at that moment."""
        self.times[name].record(seconds)
        if name in self.series:
            self.series[name].record(unix_s, seconds)

    def of(self, kind: str) -> dict[str, int]:
        """Counts of one kind by code: those called "KIND:CODE"."""
        start = f"{kind}:"
        return {
            name.removeprefix(start): count
            for name, count in sorted(self.counts.items())
            if name.startswith(start)
        }

    def merge(self, other: Figures) -> None:
        """Take in those of another process. No percentile is averaged: histograms are added."""
        self.counts.update(other.counts)
        self.streams.update(other.streams)
        self.said.update(other.said)
        for name, histogram in other.times.items():
            self.times[name].merge(histogram)
        for name, series in other.series.items():
            self.series[name].merge(series)

    def encoded(self) -> dict[str, Any]:
        """What `decoded` takes; text and numbers only."""
        return {
            "counts": dict(self.counts),
            "streams": {str(second): count for second, count in self.streams.items()},
            "said": dict(self.said),
            "times": {name: one.encoded() for name, one in self.times.items()},
            "series": {name: one.encoded() for name, one in self.series.items()},
        }

    @classmethod
    def decoded(cls, data: Mapping[str, Any]) -> Figures:
        """From `encoded`."""
        figures = cls()
        figures.counts.update(data["counts"])
        figures.said.update(data["said"])
        figures.streams.update({int(at): count for at, count in data["streams"].items()})
        figures.times |= {name: Histogram.decoded(one) for name, one in data["times"].items()}
        figures.series |= {name: Series.decoded(one, BIN_S) for name, one in data["series"].items()}
        return figures
