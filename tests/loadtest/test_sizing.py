"""Replicas over the day, settings of the autoscaler, spare and cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtide_loadtest.plan import events
from voxtide_loadtest.plan.erlang import erlang_b
from voxtide_loadtest.plan.fleet import Balancing, Fleet, Goals
from voxtide_loadtest.plan.lengths import Exponential
from voxtide_loadtest.plan.pattern import Pattern
from voxtide_loadtest.plan.proposal import Price, propose
from voxtide_loadtest.plan.sizing import STEP, TOLERANCE, blocking, fewest_replicas, size

CURVE = (1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 15, 15, 14, 14, 15, 15, 14, 12, 9, 7, 5, 4, 2, 1)
LENGTH = 300.0
NO_SPARE = Goals(spare_nodes=0)
BALANCINGS: tuple[Balancing, ...] = ("least-connections", "random")


def day(streams: float) -> Pattern:
    """A day with a number of streams, on average."""
    return Pattern(streams / LENGTH * 3600, tuple(map(float, CURVE)), Exponential(LENGTH))


@pytest.mark.parametrize("balancing", BALANCINGS)
@given(streams=st.floats(0.1, 2000), sessions=st.integers(1, 200))
def test_fewest_replicas_are_enough_and_one_less_is_not(
    balancing: Balancing, streams: float, sessions: int
) -> None:
    fleet = Fleet(sessions, balancing=balancing)
    replicas = fewest_replicas(fleet, streams, 0.001)
    assert blocking(replicas, fleet, streams) <= 0.001
    assert replicas == 1 or blocking(replicas - 1, fleet, streams) > 0.001


def test_one_pool_refuses_fewer_than_replicas_by_chance() -> None:
    pool, chance = (Fleet(40, balancing=balancing) for balancing in BALANCINGS)
    assert blocking(10, pool, 350.0) == erlang_b(400, 350.0)
    assert blocking(10, chance, 350.0) == erlang_b(40, 35.0)
    assert fewest_replicas(pool, 350.0, 0.001) < fewest_replicas(chance, 350.0, 0.001)


@settings(max_examples=25)
@given(
    streams=st.floats(1, 3000),
    sessions=st.integers(5, 100),
    startup=st.floats(0, 1800),
    nodes=st.integers(0, 2),
)
def test_the_autoscaler_runs_what_is_required_all_day(
    streams: float, sessions: int, startup: float, nodes: int
) -> None:
    fleet = Fleet(sessions, startup_seconds=startup, node_gpus=4)
    sizing = size(day(streams), fleet, Goals(spare_nodes=nodes))
    given = sizing.settings
    slowest = np.ceil(sizing.streams / (sessions * given.target * (1 + TOLERANCE)))
    assert (np.maximum(slowest, given.min_replicas) >= sizing.required).all()
    assert (sizing.required <= sizing.replicas).all()
    assert (
        given.min_replicas <= sizing.replicas.min() <= sizing.replicas.max() <= given.max_replicas
    )
    assert 0 < given.target <= 0.7


def test_required_is_what_the_next_pod_would_come_too_late_for() -> None:
    quick, slow = (
        size(day(2000), Fleet(40, startup_seconds=seconds), NO_SPARE) for seconds in (0, 1800)
    )
    morning = int(7 * 3600 / STEP)
    assert slow.required[morning] > quick.required[morning]
    ahead = quick.streams[morning : morning + int(1830 / STEP) + 2].max()
    assert slow.required[morning] == fewest_replicas(Fleet(40), float(ahead), 0.001)


def test_a_spare_node_is_there_all_day() -> None:
    fleet = Fleet(40, gpus=2, node_gpus=8)
    none, one = (size(day(500), fleet, Goals(spare_nodes=nodes)) for nodes in (0, 1))
    assert (one.required - none.required == 4).all()
    after_loss = one.replicas - 4
    assert all(
        blocking(int(left), fleet, float(streams)) <= 0.001
        for left, streams in zip(after_loss, one.streams, strict=True)
    )


def test_settings_within_what_the_chart_takes() -> None:
    given = size(day(500), Fleet(10, startup_seconds=4000), Goals()).settings
    assert given.down_after == 3600
    huge = size(day(200_000), Fleet(10, startup_seconds=10), Goals()).settings
    assert huge.up > 4
    assert huge.down > 1
    assert huge.down_after == 600


def test_growth_raises_only_the_most_replicas() -> None:
    little, much = (size(day(500), Fleet(20), Goals(growth=by)).settings for by in (0.0, 1.0))
    assert much.max_replicas == pytest.approx(2 * little.max_replicas, abs=1)
    assert much.min_replicas == little.min_replicas


def test_a_lost_node_and_a_rollout_at_the_busiest_time() -> None:
    fleet = Fleet(20, startup_seconds=200, node_gpus=2, gpus=1, max_surge=3, drain_seconds=500)
    sizing = size(day(500), fleet, Goals())
    pods, streams = int(sizing.replicas.max()), float(sizing.streams.max())
    lost = events.lost_node(sizing)
    assert lost.pods == 2
    assert lost.sessions == pytest.approx(2 * streams / pods)
    assert lost.blocking == erlang_b((pods - 2) * 20, streams)
    rollout = events.rollout(sizing)
    assert rollout is not None
    assert rollout.extra_pods == 3 + 3 * 3  # three waves begin while one drains
    assert rollout.seconds == -(-pods // 3) * 200 + 500
    no_surge = size(day(500), Fleet(20, max_surge=0), Goals())
    assert events.rollout(no_surge) is None


def test_cost_is_gpu_hours_times_price() -> None:
    fleet = Fleet(20, gpus=2, node_gpus=8)
    plan = propose(day(500), fleet, Goals(), [Price("a", 2.0), Price("b", 3.0)])
    assert plan.gpu_hours == pytest.approx(plan.sizing.replicas.sum() * STEP / 3600 * 2)
    a, b = plan.costs
    assert a.day == pytest.approx(plan.gpu_hours * 2.0)
    assert b.day == pytest.approx(1.5 * a.day)
    assert a.stream_hour == pytest.approx(a.day / (500 * 24), rel=0.01)
    assert a.fixed_month > a.month > 30 * a.day


def test_parts_of_the_day_are_at_their_busiest() -> None:
    plan = propose(day(500), Fleet(20), Goals(), [])
    assert len(plan.day) == 24
    assert sum(part.sessions_per_hour for part in plan.day) == pytest.approx(
        500 / LENGTH * 3600 * 24
    )
    assert plan.busiest.streams == plan.sizing.streams.max()
    assert all(part.blocking <= 0.001 for part in plan.day)
    assert all(part.blocking <= part.waiting for part in plan.day)


def test_a_million_streams_are_planned() -> None:
    plan = propose(day(1_000_000), Fleet(64, node_gpus=8), Goals(target=0.98), [])
    assert plan.busiest.streams > 1_000_000
    places = plan.busiest.replicas * 64
    assert plan.busiest.streams < places < plan.busiest.streams * 1.5
    assert all(part.blocking <= 0.001 for part in plan.day)
