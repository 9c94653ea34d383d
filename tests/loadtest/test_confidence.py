"""What passed trials say, against the textbook."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_loadtest.capacity.confidence import ERROR, at_least, least_share, spent


@pytest.mark.parametrize("trials", [1, 5, 8, 30])
def test_all_passed_is_known_in_closed_form(trials: int) -> None:
    assert least_share(trials, trials, 0.05) == pytest.approx(0.05 ** (1 / trials), abs=1e-6)


def test_a_known_interval() -> None:
    # Clopper and Pearson's two-sided 95 % interval for 8 of 10 is 0.4439 to 0.9748.
    assert least_share(8, 10, 0.025) == pytest.approx(0.4439, abs=1e-4)


@given(passes=st.integers(1, 20), more=st.integers(0, 10), error=st.floats(0.001, 0.2))
def test_the_bound_is_where_so_many_passes_are_that_unlikely(
    passes: int, more: int, error: float
) -> None:
    bound = least_share(passes, passes + more, error)
    assert at_least(passes, passes + more, bound) == pytest.approx(error, abs=1e-5)


def test_however_many_candidates_the_error_is_not_exceeded() -> None:
    granted = [spent(candidate) for candidate in range(1, 10_000)]
    assert granted[0] == ERROR / 2
    assert ERROR * 0.999 < sum(granted) <= ERROR
