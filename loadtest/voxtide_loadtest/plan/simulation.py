"""The fleet through a day, session by session: a discrete-event simulation.

What the formulas leave out is in here: pods take time to start, the autoscaler looks at what was,
pods that go drain, nodes are lost. Where there is nothing of that (`Settings` with as many pods
at least as at most), it agrees with the formulas (tests/loadtest/test_simulation.py).
"""

import math
import random
from collections import deque
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import numpy as np
import simpy

from .autoscaler import LOOK_EVERY, Autoscaler
from .course import SAMPLE_EVERY, Account, Course, Sample
from .fleet import Fleet, Settings
from .pattern import Pattern
from .replicas import Balancer, Replica, Session

_Steps = Generator[simpy.Event, Any, None]


def simulate(
    pattern: Pattern, fleet: Fleet, settings: Settings, course: Course, seed: int
) -> Account:
    """Run a course.

    Args:
        seed: of the random numbers; the same gives the same account.
    """
    run = _Run(pattern, fleet, settings, course, seed)
    run.env.run(until=course.end)
    run.close()
    return run.account


class _Run:
    def __init__(
        self, pattern: Pattern, fleet: Fleet, settings: Settings, course: Course, seed: int
    ) -> None:
        self.pattern, self.fleet, self.course = pattern, fleet, course
        self.account = Account()
        begin = course.start - course.settle
        self.env = simpy.Environment(initial_time=begin)
        self.rng = np.random.default_rng(seed)
        self.balancer = Balancer(fleet, random.Random(seed))
        self.streams = 0
        self.pods: dict[Replica, bool] = {}  # all that hold GPUs; whether they are to stay
        self.born = 0
        self.door: deque[tuple[float, float]] = deque()  # (came, length) of who waits
        self.autoscaler = Autoscaler(settings, fleet.sessions, self._pods_at(begin, settings))
        for _ in range(self.autoscaler.pods):
            self.balancer.open(self._new_pod())
        for steps in self._processes():
            self.env.process(steps)

    def close(self) -> None:
        """Count the time of the pods that are still there."""
        for replica in list(self.pods):
            self._count_time(replica)

    def _pods_at(self, time: float, settings: Settings) -> int:
        streams = float(self.pattern.streams(np.array([time]))[0])
        wanted = math.ceil(streams / (self.fleet.sessions * settings.target))
        return min(max(wanted, settings.min_replicas), settings.max_replicas)

    def _processes(self) -> Sequence[_Steps]:
        processes = [self._arrivals(), self._sampling(), self._scaling()]
        if self.course.rollout_at is not None:
            processes.append(self._rollout(self.course.rollout_at))
        if self.course.node_lost_at is not None:
            processes.append(self._lost_node(self.course.node_lost_at))
        return processes

    # Sessions

    def _arrivals(self) -> _Steps:
        times = self.pattern.arrivals(self.rng, self.env.now, self.course.end)
        lengths: list[float] = []
        for time in times:
            yield self.env.timeout(time - self.env.now)
            if not lengths:
                lengths = self.pattern.lengths.draw(self.rng, 4096).tolist()
            self._arrive(lengths.pop())

    def _arrive(self, length: float) -> None:
        counts = self._counts
        self.account.arrived += counts
        if not self.door and self._begin(length):
            return
        if self.course.waiting:
            self.door.append((self.env.now, length))
        else:
            self.account.refused += counts

    def _begin(self, length: float) -> bool:
        session = Session()
        if not self.balancer.place(session):
            return False
        self.streams += 1
        end = self.env.timeout(length)
        assert end.callbacks is not None
        end.callbacks.append(partial(self._end, session))
        return True

    def _end(self, session: Session, _: simpy.Event) -> None:
        if session.replica is None:  # it was cut
            return
        self.balancer.leave(session)
        self.streams -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self.door and self._begin(self.door[0][1]):
            came, _ = self.door.popleft()
            if came >= self.course.start:
                self.account.waited += 1
                self.account.seconds_waited += self.env.now - came

    def _move(self, replica: Replica) -> None:
        for session in list(replica.sessions):
            self.balancer.leave(session)
            if self.balancer.place(session):
                self.account.moved += self._counts
            else:
                self.streams -= 1
                self.account.cut += self._counts

    @property
    def _counts(self) -> bool:
        return self.env.now >= self.course.start

    # Pods

    def _new_pod(self) -> Replica:
        self.born += 1
        replica = Replica(self.born, self.env.now)
        self.pods[replica] = True
        return replica

    def _start(self, replica: Replica) -> _Steps:
        yield self.env.timeout(self.fleet.startup_seconds)
        if self.pods.get(replica):
            self.balancer.open(replica)
            self._let_in()

    def _drain(self, replica: Replica) -> _Steps:
        self.pods[replica] = False
        self.balancer.close(replica)
        until = self.env.now + self.fleet.drain_seconds
        while replica.sessions and self.env.now < until:
            yield self.env.timeout(min(5.0, until - self.env.now))
        if replica in self.pods:  # else its node was lost
            self._remove(replica)

    def _remove(self, replica: Replica) -> None:
        self.balancer.close(replica)
        self._count_time(replica)
        del self.pods[replica]
        self._move(replica)

    def _count_time(self, replica: Replica) -> None:
        since = max(replica.born, self.course.start)
        self.account.pod_seconds += max(0.0, self.env.now - since)

    def _staying(self) -> list[Replica]:
        return [replica for replica, stays in self.pods.items() if stays]

    # What happens to the fleet

    def _scaling(self) -> _Steps:
        seen = self.streams
        while True:
            yield self.env.timeout(LOOK_EVERY)
            before = self.autoscaler.pods
            change = self.autoscaler.look(self.env.now, seen) - before
            seen = self.streams  # of a scrape, up to 15 s old when it is looked at
            for _ in range(change):
                self.env.process(self._start(self._new_pod()))
            for replica in self._first_to_go(-change) if change < 0 else ():
                self.env.process(self._drain(replica))

    def _first_to_go(self, count: int) -> list[Replica]:
        """As Kubernetes chooses: those that are not ready, then the youngest."""
        staying = sorted(self._staying(), key=lambda pod: (pod.ready, -pod.number))
        return staying[:count]

    def _rollout(self, time: float) -> _Steps:
        yield self.env.timeout(time - self.env.now)
        old = self._staying()
        surge = self.fleet.max_surge
        while old := [replica for replica in old if self.pods.get(replica)]:
            wave, old = old[:surge], old[surge:]
            yield simpy.AllOf(
                self.env, [self.env.process(self._start(self._new_pod())) for _ in wave]
            )
            for replica in wave:
                if self.pods.get(replica):
                    self.env.process(self._drain(replica))

    def _lost_node(self, time: float) -> _Steps:
        yield self.env.timeout(time - self.env.now)
        lost = [replica for replica in self.pods if replica.ready][: self.fleet.pods_on_node]
        for replica in lost:
            self.balancer.close(replica)
        for replica in lost:
            self._remove(replica)
            self.env.process(self._start(self._new_pod()))

    def _sampling(self) -> _Steps:
        yield self.env.timeout(self.course.start - self.env.now)
        while True:
            ready = sum(replica.ready for replica in self.pods)
            sample = Sample(self.env.now, self.streams, ready, len(self.pods))
            self.account.samples.append(sample)
            yield self.env.timeout(SAMPLE_EVERY)
