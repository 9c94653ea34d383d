"""Histograms: right to three digits, and merged without loss."""

from __future__ import annotations

import random

import numpy as np
import pytest

from voxtide_loadtest.histograms import Histogram, Series


def filled(times: list[float]) -> Histogram:
    histogram = Histogram()
    histogram.record_all(times)
    return histogram


def lognormal(count: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    return [rng.lognormvariate(-1, 1) for _ in range(count)]


def test_percentiles_are_right_to_three_digits() -> None:
    times = lognormal(20_000, 1)
    summary = filled(times).summary()
    for name, percent in (("p50", 50), ("p95", 95), ("p99", 99), ("p99_9", 99.9)):
        exact = sorted(times)[round(20_000 * percent / 100) - 1] * 1000
        assert summary[name] == pytest.approx(exact, rel=0.002)
    assert summary["max"] == pytest.approx(max(times) * 1000, rel=0.002)
    assert summary["mean"] == pytest.approx(np.mean(times) * 1000, rel=0.002)
    assert summary["n"] == 20_000


def test_merged_histograms_are_those_of_all_times() -> None:
    parts = [lognormal(1_000 * size, size) for size in (1, 3, 9)]
    merged = Histogram()
    for part in parts:
        merged.merge(Histogram.decoded(filled(part).encoded()))
    assert merged.summary() == filled([time for part in parts for time in part]).summary()
    average = np.mean([filled(part).percentile_ms(99) for part in parts])
    assert merged.percentile_ms(99) != pytest.approx(average, rel=1e-3)


def test_what_is_no_latency_is_in_no_percentile() -> None:
    histogram = filled([0.0, -0.1, 0.2])
    assert (len(histogram), histogram.early) == (1, 2)
    assert histogram.summary()["p50"] == pytest.approx(200, rel=0.001)
    assert Histogram.decoded(histogram.encoded()).early == 2


def test_nothing_has_no_percentiles() -> None:
    summary = Histogram().summary()
    assert (summary["n"], summary["p99"], summary["max"]) == (0, None, None)


def test_times_above_a_limit_are_counted() -> None:
    assert filled([0.1, 0.2, 0.3, 0.4]).above(0.25) == 2


def test_what_lasts_longer_than_an_hour_counts_as_an_hour() -> None:
    assert filled([7200.0]).summary()["max"] == pytest.approx(3_600_000, rel=0.001)


def test_series_of_two_machines_fall_into_the_same_bins() -> None:
    here, there = Series(5), Series(5)
    here.record(1_000.1, 0.1)
    here.record(1_005.0, 0.2)
    there.record(1_004.9, 0.3)
    here.merge(Series.decoded(there.encoded(), 5))
    assert {at * 5: len(one) for at, one in here.bins.items()} == {1_000: 2, 1_005: 1}


def test_what_was_recorded_can_be_read_again() -> None:
    recorded = filled([0.3, 0.1, 0.3]).recorded()
    assert [count for _, count in recorded] == [1, 2]
    assert [time for time, _ in recorded] == pytest.approx([0.1, 0.3], rel=1e-3)
