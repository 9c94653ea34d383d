"""What a replica is, and what is asked of all of them."""

from dataclasses import dataclass
from typing import Literal

Balancing = Literal["least-connections", "random"]


@dataclass(frozen=True)
class Fleet:
    """Replicas, all alike.

    Attributes:
        sessions: live sessions that a replica carries (the measured capacity); more are refused.
        startup_seconds: from asking for a pod to its first session: a node, the image, the model.
        balancing: who gets a new session: the replica with the fewest, or one by chance.
        tries: by chance: replicas that a caller tries, one after the other.
        gpus: of a replica.
        node_gpus: of a node, at least as many.
        max_surge: pods beyond the wanted number during a rollout.
        drain_seconds: time that sessions of a pod that is to go get to end by themselves.
    """

    sessions: int
    startup_seconds: float = 300.0
    balancing: Balancing = "least-connections"
    tries: int = 1
    gpus: int = 1
    node_gpus: int = 1
    max_surge: int = 1
    drain_seconds: float = 600.0

    @property
    def pods_on_node(self) -> int:
        """Pods that are lost with a node."""
        return self.node_gpus // self.gpus


@dataclass(frozen=True)
class Goals:
    """What the fleet has to keep.

    Attributes:
        blocking: probability that a caller is refused, at any time of the day.
        target: greatest share of the capacity that the autoscaler may aim at.
        spare_nodes: nodes that may be lost while `blocking` is kept.
        growth: load beyond the pattern, as a share of it, that autoscaling may still follow.
    """

    blocking: float = 0.001
    target: float = 0.7
    spare_nodes: int = 1
    growth: float = 0.2


@dataclass(frozen=True)
class Settings:
    """The autoscaler's settings: the chart's `tier.autoscaling`.

    Attributes:
        min_replicas: fewest pods.
        max_replicas: most pods.
        target: share of the capacity to be in use, 0 to 1.
        down_after: seconds that less load has to last before a pod goes.
        up: pods that may come in a minute.
        down: pods that may go in a minute.
    """

    min_replicas: int
    max_replicas: int
    target: float
    down_after: int
    up: int
    down: int
