"""The search against synthetic servers: no run, milliseconds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_loadtest.capacity.confidence import ERROR
from voxtide_loadtest.capacity.search import Ask, Found, Outcome, Rules, search


def play(rules: Rules, server: Callable[[int], Outcome]) -> tuple[Found, list[Ask]]:
    """Search on a server, and what was asked."""
    steps, asked = search(rules), []
    ask = next(steps)
    while True:
        asked.append(ask)
        assert 1 <= ask.streams <= rules.most
        try:
            ask = steps.send(server(ask.streams))
        except StopIteration as over:
            return over.value, asked


def up_to(limit: int) -> Callable[[int], Outcome]:
    """Passes with so many streams, and never with more."""
    return lambda streams: "passed" if streams <= limit else "failed"


EXACT = Rules(tolerance=0.0)


@given(limit=st.integers(0, 999), start=st.integers(1, 1000))
def test_a_sharp_limit_is_found_exactly(limit: int, start: int) -> None:
    found, asked = play(Rules(start=start, tolerance=0.0), up_to(limit))
    assert (found.sessions, found.limited_by, found.next) == (limit, "slo", limit + 1)
    confirmed = [ask.streams for ask in asked if ask.purpose == "confirmation"]
    assert confirmed == [limit] * (7 if limit else 0)
    assert len(asked) <= 7 + 10 + 2 * 11  # doubling, then each failing level twice


@given(limit=st.integers(1, 900), tolerance=st.floats(0, 0.5))
def test_the_tolerance_is_kept(limit: int, tolerance: float) -> None:
    found, _ = play(Rules(tolerance=tolerance), up_to(limit))
    assert found.next is not None
    assert found.sessions <= limit < found.next
    assert found.next - found.sessions <= max(1, tolerance * found.sessions)


def test_the_highest_permitted_level_may_pass() -> None:
    found, asked = play(Rules(most=100), up_to(10**9))
    assert (found.sessions, found.limited_by, found.next) == (100, "most", None)
    assert [ask.streams for ask in asked][:8] == [1, 2, 4, 8, 16, 32, 64, 100]


def test_a_server_that_never_passes_carries_nothing() -> None:
    found, asked = play(Rules(start=40), lambda streams: "failed")
    assert (found.sessions, found.limited_by, found.next) == (0, "slo", 1)
    assert found.least_share == 0
    assert [ask.streams for ask in asked] == [40, 40, 20, 20, 10, 10, 5, 5, 2, 2, 1, 1]


def test_a_void_trial_is_run_again_and_counts_nowhere() -> None:
    rng = random.Random(1)

    def server(streams: int) -> Outcome:
        return "void" if rng.random() < 0.3 else up_to(37)(streams)

    found, asked = play(Rules(tolerance=0.0, voids=50), server)
    assert (found.sessions, found.passed, found.trials) == (37, 7, 7)
    assert sum(ask.purpose == "confirmation" for ask in asked) > 7


def test_a_generator_that_is_always_late_is_named_as_the_limit() -> None:
    found, _ = play(EXACT, lambda streams: "passed" if streams <= 25 else "void")
    assert (found.sessions, found.limited_by, found.next) == (25, "generator", 26)
    found, asked = play(EXACT, lambda streams: "void")
    assert (found.sessions, found.limited_by, len(asked)) == (0, "generator", 3)


def test_one_failure_by_chance_ends_nothing() -> None:
    seen: set[int] = set()

    def server(streams: int) -> Outcome:
        first = streams not in seen
        seen.add(streams)
        return "failed" if first else up_to(50)(streams)

    assert play(EXACT, server)[0].sessions == 50


def test_a_candidate_that_is_not_confirmed_is_given_up_for_a_lower_one() -> None:
    asked = {"confirmation": 0}
    steps = search(Rules(start=8, tolerance=0.0))
    ask = next(steps)
    while not (ask.purpose == "confirmation" and ask.streams < 20):
        if ask.purpose == "confirmation":
            asked["confirmation"] += 1
            ask = steps.send("failed")
        else:
            ask = steps.send(up_to(20)(ask.streams))
    assert asked["confirmation"] == 2  # of 8 trials 7 have to pass
    assert ask.streams == 19
    for _ in range(6):
        steps.send("passed")
    with pytest.raises(StopIteration) as over:
        steps.send("passed")
    found = over.value.value
    assert (found.sessions, found.next, found.candidates) == (19, 20, 2)
    # The second candidate is granted less error, so the same trials say less.
    assert found.least_share < play(EXACT, up_to(19))[0].least_share


def noisy(middle: float, width: float, rng: random.Random) -> Callable[[int], Outcome]:
    """Passes by a logistic chance: half of the trials with `middle` streams."""
    return lambda n: "passed" if rng.random() < share(n, middle, width) else "failed"


def share(streams: int, middle: float, width: float) -> float:
    return (1 - math.tanh((streams - middle) / width / 2)) / 2


@given(seed=st.integers(0, 10**6), width=st.floats(0.1, 30), middle=st.floats(0, 300))
def test_noise_does_not_keep_it_from_ending(seed: int, width: float, middle: float) -> None:
    found, asked = play(Rules(), noisy(middle, width, random.Random(seed)))
    assert 0 <= found.sessions <= 1000
    assert found.trials <= 8
    if found.sessions:
        assert found.passed >= 7
        assert asked[-1] == Ask(found.sessions, "confirmation")


def test_what_is_claimed_is_wrong_as_seldom_as_it_says() -> None:
    wrong = 0
    for seed in range(1000):
        found, _ = play(Rules(tolerance=0.0), noisy(60, 6, random.Random(seed)))
        wrong += bool(found.sessions) and share(found.sessions, 60, 6) < found.least_share
    assert wrong <= 1000 * ERROR


def test_results_with_noise_lie_together() -> None:
    results = sorted(
        play(Rules(), noisy(100, 3, random.Random(seed)))[0].sessions for seed in range(200)
    )
    assert results[10] >= 85
    assert results[-10] <= 105
