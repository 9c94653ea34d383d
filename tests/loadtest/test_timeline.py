"""What is drawn over time."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.loadtest.results import BEGAN, searched
from voxtide_loadtest.capacity import timeline


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """A search whose counters start anew in the middle."""
    counters = (0, 2, 4, 0, 1)
    samples = [
        {"unix_s": BEGAN + 60 + 2 * at, "cpu_seconds": cpu, "engine_steps": 25 * cpu}
        for at, cpu in enumerate(counters)
    ]
    return searched("mine", 1, samples)


def test_streams_are_those_of_the_trials_with_none_between(found: dict[str, Any]) -> None:
    at, streams = timeline.streams(found)
    of_trials = [trial["streams"] for trial in found["trials"]]
    assert [count for count in streams if count] == [n for n in of_trials for _ in range(3)]
    assert streams.count(0) == len(of_trials)
    assert at[0] == pytest.approx((60 + 5) / 60)  # a minute after the search the first one began
    assert at == sorted(at)


def test_heat_is_where_the_words_were(found: dict[str, Any]) -> None:
    cells = timeline.heat(found)
    assert len(cells) == 3 * len(found["trials"])
    at, width, row, share = cells[1]
    assert (at, width, share) == (pytest.approx(75 / 60), pytest.approx(5 / 60), 1.0)
    assert timeline.EDGES_MS[row] < 600 < timeline.EDGES_MS[row + 1]
    slow = cells[0][2]  # in the warm-up everything takes a second more
    assert timeline.EDGES_MS[slow] < 1600 < timeline.EDGES_MS[slow + 1]


def test_a_line_has_a_gap_between_trials(found: dict[str, Any]) -> None:
    _, lags = timeline.over_time(found, "transcript_lag", "p99")
    assert [math.isnan(lag) for lag in lags[:4]] == [False, False, False, True]
    assert lags[1] == pytest.approx(500, rel=0.01)


def test_rates_are_by_the_second_and_not_across_a_restart(found: dict[str, Any]) -> None:
    at, cores = timeline.rates(found, "cpu_seconds")
    assert at[0] == pytest.approx(62 / 60)
    assert cores[:2] == [1.0, 1.0]
    assert math.isnan(cores[2])
    assert cores[3] == 0.5
    assert timeline.step_ms(found)[1][0] == pytest.approx(40)
    assert timeline.rates(found, "absent") == ([], [])
