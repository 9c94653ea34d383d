"""Two runs over the same utterances: equal ones are equal, and a loss that was planted is found."""

from __future__ import annotations

import numpy as np
import pytest

from voxtide_eval.scoring.intervals import groups
from voxtide_eval.scoring.paired import Difference, Sums, difference

WORDS = [10] * 150


def compared(run: np.ndarray, base: np.ndarray) -> Difference:
    found = difference(Sums(run.tolist(), WORDS), Sums(base.tolist(), WORDS), groups([""] * 150))
    assert found is not None
    return found


def test_a_run_is_equal_to_itself() -> None:
    errors = np.random.default_rng(1).binomial(10, 0.1, size=150)
    same = compared(errors, errors)
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_of_equal_runs_one_in_twenty_seems_to_differ() -> None:
    random = np.random.default_rng(2)
    found = [compared(*random.binomial(10, 0.1, size=(2, 150))) for _ in range(200)]
    assert 0.01 <= np.mean([one.p <= 0.05 for one in found]) <= 0.09
    assert 0.90 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.99


def test_a_planted_loss_is_found_with_its_size() -> None:
    random = np.random.default_rng(3)
    base = random.binomial(10, 0.1, size=150)
    run = base + random.binomial(10 - base, 0.05)
    found = compared(run, base)
    assert found.p < 0.001
    assert found.low > 0
    assert found.value == pytest.approx((run.sum() - base.sum()) / 1500)
    back = compared(base, run)
    assert (back.value, back.p) == (-found.value, found.p)


def test_what_is_hard_for_both_cancels_out() -> None:
    random = np.random.default_rng(4)
    hard = random.binomial(10, random.beta(1, 3, size=150))
    run = np.minimum(hard + (random.random(150) < 0.3), 10)
    found = compared(run, hard)
    apart = compared(random.permutation(run), hard)
    assert found.high - found.low < (apart.high - apart.low) / 3


def test_nothing_said_cannot_be_compared() -> None:
    nothing = Sums([1, 0], [0, 0])
    assert difference(nothing, Sums([1, 0], [2, 2]), groups(["", ""])) is None
