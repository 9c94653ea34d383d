"""Replicas over the day, and the settings that make an autoscaler run them.

Required at any time: as many replicas as keep the blocking target for the most streams until a
pod that is asked for now could serve, and those of the nodes that may be lost. The autoscaler
asks for `streams / (capacity * target)`; where that is less than required, a lower target or a
higher minimum has to make up for it, and of all pairs of the two the cheapest is taken.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .erlang import erlang_b, fewest_servers
from .fleet import Fleet, Goals, Settings
from .lengths import Seconds
from .pattern import DAY, Counts, Pattern

STEP = 120.0
"""Seconds between the times that are looked at."""

TOLERANCE = 0.1
"""Kubernetes' autoscaler leaves a fleet alone that is within 10 % of its target
(--horizontal-pod-autoscaler-tolerance)."""

REACTION = 30.0
"""Seconds from more load to asking for a pod: a scrape and a look, 15 s each, as the chart has
them (metrics.interval, pollingInterval)."""

_CHART_UP, _CHART_DOWN_AFTER, _MOST_DOWN_AFTER = 4, 600, 3600


def blocking(replicas: int, fleet: Fleet, streams: float) -> float:
    """Probability that a caller is refused in a steady state.

    With the fewest sessions first, nobody is refused while any replica has room: one Erlang B
    over all places. By chance, each replica is a system of its own; that is exact for one try,
    and more than it will be for several.
    """
    if fleet.balancing == "random":
        return erlang_b(fleet.sessions, streams / replicas) if replicas else 1.0
    return erlang_b(fleet.sessions * replicas, streams)


def fewest_replicas(fleet: Fleet, streams: float, most_blocking: float) -> int:
    """Fewest replicas, one at least, that keep a blocking target."""
    if fleet.balancing == "least-connections":
        return max(1, math.ceil(fewest_servers(streams, most_blocking) / fleet.sessions))
    replicas = max(1, math.floor(streams / fleet.sessions * (1 - most_blocking)))
    low = 0
    while blocking(replicas, fleet, streams) > most_blocking:
        low, replicas = replicas, replicas * 2
    while replicas - low > 1:
        middle = (low + replicas) // 2
        if blocking(middle, fleet, streams) > most_blocking:
            low = middle
        else:
            replicas = middle
    return replicas


@dataclass(frozen=True)
class Sizing:
    """The day in steps of `STEP`.

    Attributes:
        times: beginnings of the steps.
        streams: the most offered streams in each.
        required: replicas that have to be there in each.
        settings: what makes an autoscaler run them.
    """

    fleet: Fleet
    goals: Goals
    times: Seconds
    streams: Seconds
    required: Counts
    settings: Settings

    @cached_property
    def replicas(self) -> Counts:
        """What the autoscaler aims at in each step."""
        wanted = _wanted(self.streams, self.fleet, self.settings.target)
        return np.clip(wanted, self.settings.min_replicas, self.settings.max_replicas)

    @property
    def peak(self) -> int:
        """The step with the most streams."""
        return int(self.streams.argmax())

    @property
    def replica_hours(self) -> float:
        """Of a day."""
        return float(self.replicas.mean()) * 24


def size(pattern: Pattern, fleet: Fleet, goals: Goals) -> Sizing:
    """Replicas over the day, and the settings of the autoscaler, by the formulas."""
    times = np.arange(0, DAY, STEP)
    at_edges = pattern.streams(times)
    streams = np.maximum(at_edges, np.roll(at_edges, -1))
    required = _required(streams, fleet, goals)
    target, fewest = _cheapest(streams, required, fleet, goals.target)
    settings = _settings(streams, required, fleet, goals, target, fewest)
    return Sizing(fleet, goals, times, streams, required, settings)


def _required(streams: Seconds, fleet: Fleet, goals: Goals) -> Counts:
    ahead = range(math.ceil((fleet.startup_seconds + REACTION) / STEP) + 1)
    coming = np.max([np.roll(streams, -step) for step in ahead[: len(streams)]], axis=0)
    loads, where = np.unique(coming, return_inverse=True)
    needs = [fewest_replicas(fleet, float(load), goals.blocking) for load in loads]
    return np.array(needs)[where] + goals.spare_nodes * fleet.pods_on_node


def _cheapest(streams: Seconds, required: Counts, fleet: Fleet, most: float) -> tuple[float, int]:
    """Target and fewest replicas that always run what is required, at the least replica hours."""
    pairs = []
    for target in {most, *np.arange(0.05, most, 0.01).round(2).tolist()}:
        at_least = _wanted(streams, fleet, target * (1 + TOLERANCE))
        short = required[at_least < required]
        fewest = int(short.max()) if len(short) else int(required.min())
        hours = np.maximum(_wanted(streams, fleet, target), fewest).sum()
        pairs.append((hours, -target, fewest))
    _, target, fewest = min(pairs)
    return -target, fewest


def _settings(
    streams: Seconds, required: Counts, fleet: Fleet, goals: Goals, target: float, fewest: int
) -> Settings:
    wanted = np.maximum(_wanted(streams, fleet, target), fewest)
    grown = _wanted(streams * (1 + goals.growth), fleet, target)
    steps = np.diff(wanted, append=wanted[0]) / (STEP / 60)
    return Settings(
        min_replicas=fewest,
        max_replicas=int(max(grown.max(), required.max(), fewest)),
        target=target,
        down_after=int(min(max(_CHART_DOWN_AFTER, 2 * fleet.startup_seconds), _MOST_DOWN_AFTER)),
        up=max(_CHART_UP, math.ceil(2 * steps.max())),
        down=max(1, math.ceil(-steps.min())),
    )


def _wanted(streams: Seconds, fleet: Fleet, target: float) -> Counts:
    pods: Counts = np.ceil(streams / (fleet.sessions * target)).astype(np.int64)
    return pods
