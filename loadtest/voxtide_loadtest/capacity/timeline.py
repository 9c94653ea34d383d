"""From a result to what is drawn over time; minutes since the run began."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..histograms import Histogram
from .slo import WORD

Points = tuple[list[float], list[float]]
EDGES_MS: NDArray[np.float64] = np.geomspace(50, 12_800, 33)
"""Of the heat map's rows: four to each doubling; what is outside falls into the first or last."""


def minutes(results: Iterable[Mapping[str, Any]]) -> float:
    """How long the longest run took."""
    ends: list[float] = [
        (trial["ended_unix_s"] - found["began_unix_s"]) / 60
        for found in results
        for trial in found["trials"]
    ]
    return max(ends)


def bins(found: Mapping[str, Any]) -> Iterator[tuple[float, float, Mapping[str, Any]]]:
    """All bins of all trials: begin and width in minutes, and the bin."""
    for trial in found["trials"]:
        width = trial["over_time"]["bin_s"] / 60
        for row in trial["over_time"]["bins"]:
            yield (row["unix_s"] - found["began_unix_s"]) / 60, width, row


def over_time(found: Mapping[str, Any], name: str, percentile: str) -> Points:
    """A percentile of a figure in each bin, in ms; gaps (NaN) between trials."""
    at: list[float] = []
    values: list[float] = []
    for trial in found["trials"]:
        for row in trial["over_time"]["bins"]:
            if name in row:
                at.append((row["unix_s"] - found["began_unix_s"]) / 60)
                values.append(row[name]["ms"][percentile] or np.nan)
        at.append((trial["ended_unix_s"] - found["began_unix_s"]) / 60)
        values.append(np.nan)
    return at, values


def streams(found: Mapping[str, Any]) -> Points:
    """Open streams: the most in each bin, none between trials."""
    at: list[float] = []
    values: list[float] = []
    for trial in found["trials"]:
        rows = trial["over_time"]["bins"]
        times = [row["unix_s"] for row in rows] + [trial["ended_unix_s"]]
        at += [(time - found["began_unix_s"]) / 60 for time in times]
        values += [row["streams"] for row in rows] + [0]
    return at, values


def heat(found: Mapping[str, Any]) -> list[tuple[float, float, int, float]]:
    """Cells of the heat map: begin and width in minutes, row, share of the bin's words."""
    cells = []
    for at, width, row in bins(found):
        if WORD in row:
            counts = _counts(Histogram.decoded(row[WORD]["us"]))
            cells += [
                (at, width, int(place), float(counts[place] / counts.sum()))
                for place in np.flatnonzero(counts)
            ]
    return cells


def _counts(histogram: Histogram) -> NDArray[np.int64]:
    """Times in each row."""
    rows = np.zeros(len(EDGES_MS) - 1, dtype=np.int64)
    for time, count in histogram.recorded():
        rows[np.searchsorted(EDGES_MS[1:-1], time * 1000)] += count
    return rows


def sampled(found: Mapping[str, Any], name: str) -> Points:
    """A value of /metrics."""
    samples = [sample for sample in found["metrics"] if name in sample]
    return _minutes(found, samples), [sample[name] for sample in samples]


def rates(found: Mapping[str, Any], name: str) -> Points:
    """What a counter of /metrics grows by in a second, from one look to the next."""
    samples = [sample for sample in found["metrics"] if name in sample]
    grown = [
        (later[name] - before[name]) / (later["unix_s"] - before["unix_s"])
        for before, later in pairwise(samples)
    ]
    # A server that was started anew counts from nothing: that is no rate.
    return _minutes(found, samples[1:]), [one if one >= 0 else np.nan for one in grown]


def step_ms(found: Mapping[str, Any]) -> Points:
    """From one step of the engine to the next, in ms, on average since the last look."""
    at, steps = rates(found, "engine_steps")
    return at, [1000 / one if one > 0 else np.nan for one in steps]


def _minutes(found: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> list[float]:
    return [(sample["unix_s"] - found["began_unix_s"]) / 60 for sample in samples]
