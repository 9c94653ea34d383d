"""Memory and CPU of processes over time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

import psutil

from .slope import Slope, slope

_EVERY_S = 2.0
_MB = 1e6


@dataclass(frozen=True)
class Sample:
    """A look at a server with all its processes.

    Attributes:
        at_s: since the beginning of the run.
        pid: of its first process: another one after each start.
        rss_mb: resident memory, 10^6 bytes; what processes share counts for each of them.
        cpu_s: time that they have computed so far, those that are there now.
    """

    at_s: float
    pid: int
    rss_mb: float
    cpu_s: float


class Watch:
    """Looks at servers every two seconds.

    Args:
        pids: of each server by its name, as they are now; None for one that is not there.
        clock: seconds since the beginning of the run.

    Attributes:
        samples: of each server, in their order.
    """

    def __init__(
        self, pids: Callable[[], Mapping[str, int | None]], clock: Callable[[], float]
    ) -> None:
        self.samples: dict[str, list[Sample]] = {}
        self._pids = pids
        self._clock = clock

    async def run(self) -> None:
        """For ever."""
        while True:
            for name, pid in self._pids().items():
                taken = self.samples.setdefault(name, [])
                # In a thread: it goes through all processes of the machine.
                look = None if pid is None else await asyncio.to_thread(sample, self._clock(), pid)
                if look is not None:
                    taken.append(look)
            await asyncio.sleep(_EVERY_S)


def sample(at_s: float, pid: int) -> Sample | None:
    """A process with all that it has started; None if it is gone."""
    rss = cpu = 0.0
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        for one in [first, *first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess), one.oneshot():
                rss += one.memory_info().rss
                times = one.cpu_times()
                cpu += times.user + times.system
    return Sample(at_s, pid, rss / _MB, cpu) if rss else None


def longest_life(samples: Sequence[Sample]) -> list[Sample]:
    """The samples of the process that was there for the longest time."""
    lives = [list(life) for _, life in groupby(samples, key=lambda one: one.pid)]
    return max(lives, key=lambda life: life[-1].at_s - life[0].at_s, default=[])


def growth(samples: Sequence[Sample], warm_up_s: float) -> Slope | None:
    """How memory grows, in MB a second, in the longest life without its first seconds."""
    life = longest_life(samples)
    warm = [one for one in life if one.at_s - life[0].at_s >= warm_up_s]
    return slope([one.at_s for one in warm], [one.rss_mb for one in warm])


def cores(samples: Sequence[Sample]) -> float | None:
    """CPU cores in use, mean over the longest life; None where that is too short."""
    life = longest_life(samples)
    if len(life) < 2:
        return None
    return max(0.0, life[-1].cpu_s - life[0].cpu_s) / (life[-1].at_s - life[0].at_s)
