"""The whole plan by the formulas: the day in parts, the settings, the spare, the cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from . import events
from .erlang import erlang_c, mean_wait
from .fleet import Fleet, Goals
from .pattern import Pattern
from .sizing import STEP, Sizing, blocking, size

_DAYS_IN_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Part:
    """A part of the day, at its busiest moment.

    Attributes:
        start: seconds since midnight.
        sessions_per_hour: that come.
        streams: offered.
        required: replicas that have to be there.
        replicas: that the autoscaler aims at.
        blocking: probability that a caller is refused (Erlang B).
        waiting: probability that a caller waits, where all wait at the door until they are let in
            instead of going away (Erlang C).
        mean_wait: of all callers then, in seconds; infinite where the fleet is too small.
    """

    start: float
    sessions_per_hour: float
    streams: float
    required: int
    replicas: int
    blocking: float
    waiting: float
    mean_wait: float


@dataclass(frozen=True)
class Price:
    """What a GPU costs.

    Attributes:
        name: of the offer.
        gpu_hour: price of an hour of a GPU, in any currency.
    """

    name: str
    gpu_hour: float


@dataclass(frozen=True)
class Cost:
    """In the currency of the price.

    Attributes:
        day: of the autoscaled fleet.
        month: the same, 30.4 days.
        fixed_month: of as many replicas all day as the busiest moment has.
        stream_hour: of an hour of an open session.
    """

    price: Price
    day: float
    month: float
    fixed_month: float
    stream_hour: float


@dataclass(frozen=True)
class Plan:
    """What to run. All figures are those of the formulas.

    Attributes:
        day: in parts of the pattern's curve, hours at least.
        gpu_hours: of a day.
    """

    pattern: Pattern
    sizing: Sizing
    day: tuple[Part, ...]
    rollout: events.Rollout | None
    lost_node: events.LostNode
    gpu_hours: float
    costs: tuple[Cost, ...]

    @property
    def busiest(self) -> Part:
        """The part with the most streams."""
        return max(self.day, key=lambda part: part.streams)


def propose(pattern: Pattern, fleet: Fleet, goals: Goals, prices: Sequence[Price]) -> Plan:
    """Plan a fleet for a day."""
    sizing = size(pattern, fleet, goals)
    return Plan(
        pattern=pattern,
        sizing=sizing,
        day=tuple(_day(pattern, sizing)),
        rollout=events.rollout(sizing),
        lost_node=events.lost_node(sizing),
        gpu_hours=sizing.replica_hours * fleet.gpus,
        costs=tuple(_cost(price, sizing) for price in prices),
    )


def _day(pattern: Pattern, sizing: Sizing) -> list[Part]:
    parts = max(24, len(pattern.curve))
    steps = len(sizing.times)
    edges = [round(part * steps / parts) for part in range(parts + 1)]
    return [_part(pattern, sizing, range(start, end)) for start, end in pairwise(edges)]


def _part(pattern: Pattern, sizing: Sizing, steps: range) -> Part:
    busiest = max(steps, key=lambda step: sizing.streams[step])
    streams, replicas = float(sizing.streams[busiest]), int(sizing.replicas[busiest])
    places = replicas * sizing.fleet.sessions
    at = sizing.times[steps.start : steps.stop]
    return Part(
        start=float(at[0]),
        sessions_per_hour=float(pattern.rate(at + STEP / 2).mean()) * 3600,
        streams=streams,
        required=int(sizing.required[steps.start : steps.stop].max()),
        replicas=replicas,
        blocking=blocking(replicas, sizing.fleet, streams),
        waiting=erlang_c(places, streams),
        mean_wait=mean_wait(places, streams, pattern.lengths.mean),
    )


def _cost(price: Price, sizing: Sizing) -> Cost:
    gpus = sizing.fleet.gpus
    day = sizing.replica_hours * gpus * price.gpu_hour
    peak = int(sizing.replicas.max())
    stream_hours = float(sizing.streams.mean()) * 24
    return Cost(
        price=price,
        day=day,
        month=day * _DAYS_IN_MONTH,
        fixed_month=peak * gpus * 24 * price.gpu_hour * _DAYS_IN_MONTH,
        stream_hour=day / stream_hours if stream_hours else math.inf,
    )
