"""What Kubernetes' horizontal pod autoscaler does with the chart's settings.  No I/O, no clock.

After the algorithm in its documentation ("Horizontal Pod Autoscaling", kubernetes.io) for a metric
with an AverageValue and for policies of pods a minute: the chart asks for
`sessions / (capacity * target)` pods.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil

from .fleet import Settings
from .sizing import TOLERANCE

LOOK_EVERY = 15.0
"""Seconds between two looks (--horizontal-pod-autoscaler-sync-period)."""

_MINUTE = 60.0


@dataclass
class Autoscaler:
    """Decides how many pods there should be.

    Attributes:
        settings: the chart's.
        capacity: sessions that a pod carries.
        pods: wanted now.
    """

    settings: Settings
    capacity: int
    pods: int
    _changes: deque[tuple[float, int]] = field(default_factory=deque)  # of the last minute
    _asked: deque[tuple[float, int]] = field(default_factory=deque)  # what the load asked for

    def look(self, now: float, sessions: int) -> int:
        """How many pods there should be from now on.

        Args:
            now: seconds; not before the last look.
            sessions: in the whole fleet, as the metric has them.
        """
        asked = self._of_load(sessions)
        self._asked.append((now, asked))
        _forget(self._asked, now - self.settings.down_after)
        if asked < self.pods:  # what was asked for lately counts as well
            asked = min(self.pods, max(pods for _, pods in self._asked))
        pods = self._in_pace(now, asked)
        if pods != self.pods:
            self._changes.append((now, pods - self.pods))
            self.pods = pods
        return pods

    def _of_load(self, sessions: int) -> int:
        need = sessions / (self.capacity * self.settings.target)
        asked = self.pods if abs(need / self.pods - 1) <= TOLERANCE else ceil(need)
        return min(max(asked, self.settings.min_replicas), self.settings.max_replicas)

    def _in_pace(self, now: float, asked: int) -> int:
        _forget(self._changes, now - _MINUTE)
        came = sum(change for _, change in self._changes if change > 0)
        went = sum(-change for _, change in self._changes if change < 0)
        most = max(self.pods, self.pods - came + self.settings.up)
        fewest = min(self.pods, self.pods + went - self.settings.down)
        return min(max(asked, fewest), most)


def _forget(entries: deque[tuple[float, int]], until: float) -> None:
    while entries and entries[0][0] <= until:
        entries.popleft()
