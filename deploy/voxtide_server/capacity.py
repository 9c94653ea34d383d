"""How many live streams the engine carries: measured when the server starts.

All places are filled with silent streams for a few frames. A stream is live if each
80 ms of it are heard in 80 ms, so the engine carries as many as it answers frames in
that time, less what is kept free for starts, renewals and files. Where that is fewer
than were measured, fewer are measured again: smaller batches are heard less cheaply.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from itertools import count

import numpy as np

from .audio import Framer
from .engine import FRAME_S, FRAME_SAMPLES, Engine, Listener
from .errors import VoxtideError
from .logs import logger

SHARE = 0.7
"""Of the engine's time that live streams may take."""
ROUND_S = 10.0
"""Seconds after which a round is judged by what has come."""

_WARM, _FRAMES = 5, 30
_CLOSE = 0.9

_round = count()


async def measured(engine: Engine) -> int:
    """The number of live streams that the engine carries, from 1 to its places.

    Args:
        engine: with nobody in it yet.
    """
    streams = engine.places
    with suppress(VoxtideError):  # it is told of below
        await _frames_per_s(engine, streams)  # whatever is made on first use is made now
    while True:
        try:
            rate = await _frames_per_s(engine, streams)
        except VoxtideError as error:
            logger.warning("%d streams at once: the engine lost one: %s", streams, error)
            carried = streams // 2
        else:
            logger.info("%d streams at once: %.0f frames/s", streams, rate)
            carried = min(streams, int(SHARE * rate * FRAME_S))
        if carried >= _CLOSE * streams or streams == 1:
            return max(1, carried)
        streams = max(1, carried)


async def _frames_per_s(engine: Engine, streams: int) -> float:
    """Fill the engine for a round.

    Raises:
        VoxtideError: it lost a stream.
    """
    name = f"measure_{next(_round)}"
    silence = np.zeros((engine.layout.delay + 2 + _FRAMES) * FRAME_SAMPLES, np.float32)
    windows = list(Framer(engine.layout).push(silence))
    heard = _Heard(_WARM * streams, len(windows) * streams)
    opened = [engine.open(f"{name}_{number}", heard) for number in range(streams)]
    try:
        for stream in opened:
            for window in windows:
                stream.feed(window)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(heard.all), ROUND_S)
        return heard.rate()
    finally:
        heard.all.cancel()
        for stream in opened:
            stream.close()


class _Heard(Listener):
    """Counts the frames of all streams; the first ones, in which streams begin, for nothing.

    Args:
        first: frame from which on they count.
        last: frame that is the last.
    """

    def __init__(self, first: int, last: int) -> None:
        self.all: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._first, self._last = first, last
        self._count = 0
        self._began = self._now = 0.0

    def rate(self) -> float:
        """Frames a second, up to the last one; 0 if there were too few."""
        counted, seconds = self._count - self._first, self._now - self._began
        return counted / seconds if counted > 0 and seconds > 0 else 0.0

    def token(self, token: int, logprob: float | None = None) -> None:
        """As `engine.Listener`."""
        self._count += 1
        self._now = time.monotonic()
        if self._count == self._first:
            self._began = self._now
        elif self._count == self._last and not self.all.done():
            self.all.set_result(None)

    def lost(self, error: VoxtideError) -> None:
        """As `engine.Listener`."""
        if not self.all.done():
            self.all.set_exception(error)
