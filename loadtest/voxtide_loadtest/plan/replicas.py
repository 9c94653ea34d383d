"""Sessions on replicas, and who gets the next one.  No clock."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

from .fleet import Fleet


class Session:
    """A session that is open.

    Attributes:
        replica: where it is; None once it has ended.
    """

    __slots__ = ("replica",)

    def __init__(self) -> None:
        self.replica: Replica | None = None


class Replica:
    """A pod.

    Attributes:
        number: in order of age.
        born: when it was asked for.
        sessions: that are on it.
        ready: whether it lets sessions in.
    """

    __slots__ = ("born", "number", "ready", "sessions")

    def __init__(self, number: int, born: float) -> None:
        self.number = number
        self.born = born
        self.sessions: set[Session] = set()
        self.ready = False


class Balancer:
    """Gives sessions to replicas that are ready, until each has as many as it may have."""

    def __init__(self, fleet: Fleet, rng: random.Random) -> None:
        self._most = fleet.sessions
        self._tries = fleet.tries
        self._rng = rng
        self._ready: list[Replica] = []
        # By sessions, for the fewest first. Entries are not taken out when they go stale: one
        # that does not tell its replica's sessions any more is skipped.
        self._by_sessions: list[tuple[int, int, Replica]] = []
        self._pick: Callable[[], Replica | None] = (
            self._by_chance if fleet.balancing == "random" else self._with_fewest
        )

    def open(self, replica: Replica) -> None:
        """Let sessions in."""
        replica.ready = True
        self._ready.append(replica)
        self._note(replica)

    def close(self, replica: Replica) -> None:
        """Let no more sessions in; those that are there stay."""
        replica.ready = False
        if replica in self._ready:
            self._ready.remove(replica)

    def place(self, session: Session) -> bool:
        """Give a session to a replica; False: refused."""
        replica = self._pick()
        if replica is None:
            return False
        session.replica = replica
        replica.sessions.add(session)
        self._note(replica)
        return True

    def leave(self, session: Session) -> None:
        """A session has ended, or is to be placed elsewhere."""
        replica = session.replica
        assert replica is not None
        session.replica = None
        replica.sessions.remove(session)
        self._note(replica)

    def _note(self, replica: Replica) -> None:
        if replica.ready:
            heapq.heappush(self._by_sessions, (len(replica.sessions), replica.number, replica))

    def _with_fewest(self) -> Replica | None:
        while self._by_sessions:
            sessions, _, replica = self._by_sessions[0]
            if replica.ready and sessions == len(replica.sessions):
                return replica if sessions < self._most else None
            heapq.heappop(self._by_sessions)
        return None

    def _by_chance(self) -> Replica | None:
        tries = min(self._tries, len(self._ready))
        tried = self._rng.sample(self._ready, tries)
        return next((one for one in tried if len(one.sessions) < self._most), None)
