"""What is simulated, and what came of it."""

from dataclasses import dataclass, field

SAMPLE_EVERY = 60.0
"""Seconds between two samples."""


@dataclass(frozen=True)
class Course:
    """What is simulated.

    Attributes:
        start, end: seconds since midnight of the first day; what happens between them counts.
        settle: seconds before `start`, in which the fleet fills.
        waiting: whether a caller who is refused waits at the door, first come, first served.
        rollout_at: when all pods begin to be replaced; needs a `max_surge` of 1 or more.
        node_lost_at: when a node is lost.
    """

    start: float
    end: float
    settle: float
    waiting: bool = False
    rollout_at: float | None = None
    node_lost_at: float | None = None


@dataclass(frozen=True)
class Sample:
    """A moment.

    Attributes:
        time: seconds since midnight.
        streams: sessions that are open.
        ready: pods that let sessions in.
        pods: all that hold GPUs: those that start or drain too.
    """

    time: float
    streams: int
    ready: int
    pods: int


@dataclass
class Account:
    """What happened from `start` to `end`.

    Attributes:
        arrived: callers.
        refused: callers who were refused.
        waited: callers who had to wait and were let in.
        seconds_waited: by all of them.
        moved: sessions whose pod went, and which went on at another.
        cut: the same, but there was no room for them.
        pod_seconds: of all pods, from asking for one to its end.
    """

    arrived: int = 0
    refused: int = 0
    waited: int = 0
    seconds_waited: float = 0.0
    moved: int = 0
    cut: int = 0
    pod_seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)

    @property
    def share_refused(self) -> float:
        """Refused callers over all."""
        return self.refused / self.arrived if self.arrived else 0.0
