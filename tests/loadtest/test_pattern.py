"""When sessions come, how long they last, and how many are open at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtide_loadtest.plan.lengths import Empirical, Exponential, Fixed, Lengths, Lognormal
from voxtide_loadtest.plan.pattern import DAY, Pattern

ALL = [Fixed(240.0), Exponential(240.0), Lognormal(240.0, 1.5), Empirical((60.0, 120.0, 540.0))]
CURVE = tuple(float(3 + (hour % 12)) for hour in range(24))
TIMES = np.arange(0, DAY, 600.0)


@pytest.mark.parametrize("lengths", ALL, ids=lambda it: type(it).__name__)
def test_drawn_lengths_are_those_of_the_distribution(lengths: Lengths) -> None:
    drawn = lengths.draw(np.random.default_rng(1), 400_000)
    assert drawn.mean() == pytest.approx(lengths.mean, rel=0.02)
    assert lengths.points().mean() == pytest.approx(lengths.mean)
    assert np.median(drawn) == pytest.approx(np.median(lengths.points()), rel=0.02)


def test_a_lognormal_varies_as_it_is_told() -> None:
    drawn = Lognormal(240.0, 0.8).draw(np.random.default_rng(1), 400_000)
    assert drawn.std() / drawn.mean() == pytest.approx(0.8, rel=0.02)


@pytest.mark.parametrize("lengths", ALL, ids=lambda it: type(it).__name__)
def test_a_steady_day_has_rate_times_length_streams(lengths: Lengths) -> None:
    streams = Pattern(900.0, (1.0,), lengths).streams(TIMES)
    assert streams == pytest.approx(np.full(len(TIMES), 900 / 3600 * lengths.mean))


@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 10), min_size=24, max_size=60), st.floats(10, 50_000))
def test_over_a_day_the_mean_holds_whatever_the_curve(curve: list[float], length: float) -> None:
    pattern = Pattern(900.0, tuple(curve), Exponential(length))
    times = np.arange(0, DAY, 600.0) + 300
    assert pattern.rate(times).mean() * 3600 == pytest.approx(900, rel=1e-2)
    assert pattern.streams(times).mean() == pytest.approx(900 / 3600 * length, rel=1e-2)


def test_streams_are_what_came_within_a_length() -> None:
    pattern = Pattern(900.0, CURVE, Fixed(7200.0))
    seconds = np.arange(10 * 3600, 12 * 3600) + 0.5
    came = pattern.rate(seconds).sum()
    assert pattern.streams(np.array([12 * 3600.0]))[0] == pytest.approx(came, rel=1e-6)


def test_long_sessions_are_most_after_most_come() -> None:
    short = Pattern(900.0, CURVE, Fixed(60.0)).streams(TIMES)
    long = Pattern(900.0, CURVE, Fixed(3 * 3600.0)).streams(TIMES)
    assert TIMES[long.argmax()] > TIMES[short.argmax()]
    assert long.max() / long.mean() < short.max() / short.mean()


def test_arrivals_follow_the_curve() -> None:
    pattern = Pattern(20_000.0, CURVE, Fixed(60.0))
    times = np.array(list(pattern.arrivals(np.random.default_rng(1), 0.0, DAY)))
    assert (np.diff(times) >= 0).all()
    assert 0 <= times[0] <= times[-1] < DAY
    counted, _ = np.histogram(times, bins=24, range=(0, DAY))
    seconds = (np.arange(DAY) + 0.5).reshape(24, 3600)
    expected = np.array([pattern.rate(hour).sum() for hour in seconds])
    assert counted == pytest.approx(expected, rel=0.03)


def test_arrivals_are_as_irregular_as_poissons() -> None:
    pattern = Pattern(36_000.0, (1.0,), Fixed(60.0))
    times = np.array(list(pattern.arrivals(np.random.default_rng(1), 0.0, 20_000.0)))
    in_a_second, _ = np.histogram(times, bins=20_000, range=(0, 20_000))
    assert in_a_second.var() / in_a_second.mean() == pytest.approx(1.0, abs=0.03)
