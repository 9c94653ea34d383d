"""A slope and its interval."""

from __future__ import annotations

import numpy as np
import pytest

from voxtide_loadtest.soak.slope import slope, student_t


def noise(seed: int, count: int, memory: float = 0.0) -> list[float]:
    """Normal noise whose neighbours correlate by `memory`."""
    rng = np.random.default_rng(seed)
    made = [0.0]
    for shock in rng.normal(size=count):
        made.append(memory * made[-1] + shock)
    return made[1:]


def test_a_line_is_found_exactly() -> None:
    found = slope(range(100), [3 + 0.5 * at for at in range(100)])
    assert found is not None
    assert found.estimate == pytest.approx(0.5)
    assert found.low == pytest.approx(0.5, abs=1e-6)
    assert found.grows


def test_what_is_constant_does_not_grow() -> None:
    found = slope(range(50), [7.0] * 50)
    assert found is not None
    assert (found.low, found.estimate, found.high) == (0, 0, 0)
    assert not found.grows


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_interval_holds_the_slope_as_often_as_it_says(memory: float) -> None:
    """Also where samples follow each other, which plain least squares would get wrong."""
    times, held = range(300), 0
    for seed in range(300):
        values = [0.01 * at + one for at, one in zip(times, noise(seed, 300, memory), strict=True)]
        found = slope(times, values)
        assert found is not None
        held += found.low <= 0.01 <= found.high
    assert 0.88 <= held / 300 <= 0.99


def test_growth_is_told_from_noise() -> None:
    times = range(900)
    shaken = noise(1, 900, 0.8)
    grown = slope(times, [0.05 * at + one for at, one in zip(times, shaken, strict=True)])
    flat = slope(times, shaken)
    assert grown is not None
    assert flat is not None
    assert grown.grows
    assert not flat.grows


def test_too_few_samples_say_nothing() -> None:
    assert slope([], []) is None
    assert slope([0, 1, 2, 3], [0, 1, 2, 3]) is None


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(3, 3.182), (5, 2.571), (10, 2.228), (60, 2.000), (1000, 1.962)]
)
def test_students_quantile(freedom: int, quantile: float) -> None:
    """Against any textbook's table."""
    assert student_t(freedom) == pytest.approx(quantile, rel=0.01)
