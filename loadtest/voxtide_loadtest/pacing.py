"""When each frame is due: an absolute schedule, what networks make of it, and who keeps to it.

A frame is due when its last sample has been spoken. The schedule of a session is fixed when it
begins; a frame that is late does not move the ones after it, so a slow server or a slow generator
never lowers the load.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .corpus import FRAME_S

SLIP_LIMIT_MS = 10.0
"""A run whose 99th percentile of slip is above this is not valid."""
_BLOCKED_S = 0.010


@dataclass(frozen=True, slots=True)
class Network:
    """What lies between the speaker and the server.

    Attributes:
        jitter_s: frames are late by the absolute value of a normal deviate with this standard
            deviation; they stay in order, as on a TCP connection.
        burst: so many frames arrive together, when the last of them is complete; at least 1.
    """

    jitter_s: float = 0.0
    burst: int = 1

    @classmethod
    def parse(cls, text: str) -> Network:
        """From "steady", "jitter:MILLISECONDS", "burst:FRAMES" or two of them joined by "+".

        Raises:
            ValueError: it is none of these.
        """
        jitter, burst = 0.0, 1
        for part in text.split("+"):
            kind, _, value = part.partition(":")
            try:
                if kind == "jitter" and 0 <= float(value) < 60_000:
                    jitter = float(value) / 1000
                    continue
                if kind == "burst" and 1 <= int(value) <= 1000:
                    burst = int(value)
                    continue
            except ValueError:
                pass
            if part != "steady":
                raise ValueError(f"network: {part!r} is not steady, jitter:MS or burst:FRAMES")
        return cls(jitter, burst)

    def dues(self, first: float, count: int, rng: random.Random) -> list[float]:
        """When each of `count` frames is due, the first one at `first` if nothing delays it."""
        dues, latest = [], -math.inf
        for at in range(count):
            of = min(at - at % self.burst + self.burst - 1, count - 1)
            late = abs(rng.gauss(0.0, self.jitter_s)) if self.jitter_s else 0.0
            latest = max(latest, first + of * FRAME_S + late)
            dues.append(latest)
        return dues


class Pacer:
    """Waits for what is due, and knows how late it was.

    Slip is the generator's own: where a write waited because the server did not read, the frame
    after it is compared with the end of that write, and the wait is told apart (`blocked`).

    Args:
        sleep: waits for so many seconds.
        clock: monotonic, in seconds.

    Attributes:
        slips: sent minus due of each frame, in seconds.
        blocked: how long writes waited for the server, in seconds; one that took less than 10 ms
            did not wait.
    """

    def __init__(
        self, sleep: Callable[[float], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._free = -math.inf
        self.slips: list[float] = []
        self.blocked: list[float] = []

    def wait(self, due: float) -> None:
        """Until `due`; not at all if that is over."""
        wait = due - self._clock()
        if wait > 0:
            self._sleep(wait)

    def send(self, due: float, write: Callable[[], object]) -> None:
        """Write at `due`."""
        self.wait(due)
        called = self._clock()
        self.slips.append(called - max(due, self._free))
        write()
        took = self._clock() - called
        if took > _BLOCKED_S:
            self.blocked.append(took)
            self._free = called + took
