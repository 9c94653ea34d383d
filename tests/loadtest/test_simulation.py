"""The simulation: what the formulas say where they are exact, and what they leave out."""

from __future__ import annotations

import pytest

from voxtide_loadtest.plan.course import Account, Course
from voxtide_loadtest.plan.erlang import erlang_b, erlang_c, mean_wait
from voxtide_loadtest.plan.fleet import Fleet, Settings
from voxtide_loadtest.plan.lengths import Exponential, Fixed, Lengths, Lognormal
from voxtide_loadtest.plan.pattern import Pattern
from voxtide_loadtest.plan.simulation import simulate

LENGTH = 1.0  # short, so that many callers take little of the fleet's time
EXPONENTIAL = Exponential(LENGTH)


def always(pods: int) -> Settings:
    """As many pods all the time."""
    return Settings(pods, pods, target=0.7, down_after=600, up=4, down=1)


def steady(
    erlangs: float,
    fleet: Fleet,
    pods: int,
    *,
    callers: int,
    lengths: Lengths = EXPONENTIAL,
    waiting: bool = False,
    seed: int = 1,
) -> Account:
    """What comes of a load that does not change, on a fleet that does not."""
    seconds = callers * LENGTH / erlangs
    course = Course(0.0, seconds, settle=20 * LENGTH, waiting=waiting)
    pattern = Pattern(erlangs / LENGTH * 3600, (1.0,), lengths)
    return simulate(pattern, fleet, always(pods), course, seed)


@pytest.mark.parametrize("lengths", [EXPONENTIAL, Fixed(LENGTH), Lognormal(LENGTH, 1.5)])
def test_refusals_are_erlang_bs_whatever_the_lengths(lengths: Lengths) -> None:
    account = steady(8.0, Fleet(sessions=4), 2, callers=100_000, lengths=lengths)
    assert account.arrived == pytest.approx(100_000, rel=0.02)
    assert account.share_refused == pytest.approx(erlang_b(8, 8.0), rel=0.03)


def test_rare_refusals_too() -> None:
    account = steady(5.0, Fleet(sessions=5), 2, callers=100_000)
    assert account.share_refused == pytest.approx(erlang_b(10, 5.0), rel=0.03)


def test_waits_are_erlang_cs() -> None:
    account = steady(2.5, Fleet(sessions=2), 2, callers=200_000, waiting=True)
    assert account.refused == 0
    assert account.waited / account.arrived == pytest.approx(erlang_c(4, 2.5), rel=0.03)
    wait = account.seconds_waited / account.arrived
    assert wait == pytest.approx(mean_wait(4, 2.5, LENGTH), rel=0.03)


def test_by_chance_each_replica_is_alone_and_more_tries_help() -> None:
    alone = steady(8.0, Fleet(4, balancing="random"), 2, callers=100_000)
    assert alone.share_refused == pytest.approx(erlang_b(4, 4.0), rel=0.03)
    both = steady(8.0, Fleet(4, balancing="random", tries=2), 2, callers=100_000)
    assert both.share_refused == pytest.approx(erlang_b(8, 8.0), rel=0.03)


def test_the_same_seed_gives_the_same_account() -> None:
    first, again, other = (steady(8.0, Fleet(4), 2, callers=2000, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_all_pods_are_paid_all_the_time() -> None:
    account = steady(8.0, Fleet(4), 2, callers=2000)
    assert account.pod_seconds == pytest.approx(2 * 2000 * LENGTH / 8)
    assert {(sample.ready, sample.pods) for sample in account.samples} == {(2, 2)}


def lost(fleet: Fleet, pods: int, erlangs: float) -> Account:
    course = Course(0.0, 4000.0, settle=1000.0, node_lost_at=1010.0)
    pattern = Pattern(erlangs / 100 * 3600, (1.0,), Exponential(100.0))
    return simulate(pattern, fleet, always(pods), course, 1)


def test_a_lost_node_moves_its_sessions_and_is_replaced() -> None:
    account = lost(Fleet(10, startup_seconds=300, node_gpus=2), 6, 20.0)
    ready = {sample.time: sample.ready for sample in account.samples}
    assert ready[960.0] == 6
    assert ready[1020.0] == ready[1260.0] == 4
    assert ready[1320.0] == 6
    assert 0 < account.moved <= 20
    assert account.cut == 0


def test_without_room_elsewhere_sessions_are_cut_off() -> None:
    account = lost(Fleet(10, startup_seconds=300, node_gpus=3), 3, 20.0)
    assert account.moved == 0
    assert account.cut > 0
    assert account.refused > 0


def test_a_rollout_serves_all_the_time_and_renews_all_pods() -> None:
    fleet = Fleet(10, startup_seconds=200, drain_seconds=50, max_surge=2)
    course = Course(0.0, 3000.0, settle=1000.0, rollout_at=600.0)
    pattern = Pattern(20 / 100 * 3600, (1.0,), Exponential(100.0))
    account = simulate(pattern, fleet, always(4), course, 1)
    assert min(sample.ready for sample in account.samples) == 4
    assert max(sample.pods for sample in account.samples) == 8  # of both waves at once
    # Two waves of two, each of which overlaps with those before it until these have drained.
    assert account.pod_seconds == pytest.approx(4 * 3000 + 2 * (2 * 200 + 2 * 50), abs=40)
    assert account.moved > 0
    assert account.cut == account.refused == 0


def test_autoscaling_follows_a_day() -> None:
    curve = tuple([1.0] * 12 + [6.0] * 12)
    pattern = Pattern(40 / 100 * 3600, curve, Exponential(100.0))
    settings = Settings(2, 20, target=0.6, down_after=600, up=4, down=1)
    account = simulate(pattern, Fleet(10), settings, Course(0.0, 86_400.0, settle=1000.0), 1)
    at = {sample.time / 3600: sample for sample in account.samples}
    for hour in (8.0, 20.0):
        asked = at[hour].streams / (10 * 0.6)
        assert at[hour].ready == pytest.approx(asked, abs=0.25 * asked + 1)
    assert at[20.0].ready > 2 * at[8.0].ready
    assert account.share_refused < 0.001
