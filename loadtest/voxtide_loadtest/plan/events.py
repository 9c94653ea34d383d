"""What a rollout and a lost node take, at the busiest time of the day."""

import math
from dataclasses import dataclass

from .sizing import REACTION, Sizing, blocking


@dataclass(frozen=True)
class Rollout:
    """Every pod is replaced, `max_surge` at a time, none before its successor serves.

    Attributes:
        extra_pods: pods beyond the wanted number at most: those that start, and those that still
            drain while the next ones start already. Each holds its GPUs.
        extra_gpus: theirs.
        seconds: until the last old pod has gone, at the most.
    """

    extra_pods: int
    extra_gpus: int
    seconds: float


@dataclass(frozen=True)
class LostNode:
    """A node is gone, and all sessions on its pods go on elsewhere at once.

    Attributes:
        pods: that are lost.
        sessions: that have to move, on average.
        blocking: probability that a new caller is refused until the pods are replaced.
        seconds: until they are, where a node is free.
    """

    pods: int
    sessions: float
    blocking: float
    seconds: float


def rollout(sizing: Sizing) -> Rollout | None:
    """What a rollout takes; None where `max_surge` is 0, and pods go before others come."""
    fleet, pods = sizing.fleet, int(sizing.replicas[sizing.peak])
    if not fleet.max_surge:
        return None
    surge = min(fleet.max_surge, pods)
    waves = math.ceil(pods / surge)
    draining = min(pods, surge * math.ceil(fleet.drain_seconds / max(fleet.startup_seconds, 1)))
    return Rollout(
        extra_pods=surge + draining,
        extra_gpus=(surge + draining) * fleet.gpus,
        seconds=waves * fleet.startup_seconds + fleet.drain_seconds,
    )


def lost_node(sizing: Sizing) -> LostNode:
    """What a lost node does."""
    fleet, pods = sizing.fleet, int(sizing.replicas[sizing.peak])
    lost = min(fleet.pods_on_node, pods)
    streams = float(sizing.streams[sizing.peak])
    return LostNode(
        pods=lost,
        sessions=streams * lost / pods,
        blocking=blocking(pods - lost, fleet, streams),
        seconds=fleet.startup_seconds + REACTION,
    )
