"""Streams as decode requests: the half of it in the API server.

Windows of all streams of this process go to the engine core in ticks. The first one
goes at once; while more come within TICK_S, they are gathered. A token comes back
for each window and goes straight to the stream's listener: no task, no queue and no
output object of vLLM's for a frame.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from vllm.v1.engine import EngineCoreRequestType
from vllm.v1.metrics import stats as vllm_stats

from ..engine import Listener, Samples
from ..errors import EngineDead, EngineFailed, VoxtideError
from .ticks import CALL_ID, LOST, UTILITY, unpack

logger = logging.getLogger("vllm.voxtide")

TICK_S = 0.02
"""Shortest time between two ticks: what gathering may add to a frame's latency."""
RECORD_S = 0.1
"""Shortest time between two entries in vLLM's metrics."""
WATCH_S = 0.5
"""Time between two looks at whether the engine lives."""


class DecodeStreams:
    """All streams of this process.

    Args:
        client: vLLM's AsyncLLM.
        prompt: tokens that a stream begins with.
    """

    def __init__(self, client: Any, prompt: list[int]) -> None:
        self._client = client
        self._core = client.engine_core
        self._prompt = prompt
        self._streams: dict[int, DecodeStream] = {}
        self._count = 0
        self._opened: list[int] = []
        self._fed: list[int] = []
        self._windows: list[Samples] = []
        self._closed: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._last_tick = 0.0
        self._watch: asyncio.Task[None] | None = None
        self._answered = 0
        self._recorded = 0.0
        config = client.vllm_config
        share = config.scheduler_config.max_num_seqs // 2
        # Half of the engine's places at the most, so that live streams find theirs.
        self._bulk_places = max(1, share // config.parallel_config._api_process_count)
        self._bulk_waiting: deque[DecodeStream] = deque()
        self._core.utility_results[CALL_ID] = _Answers(self)

    def open(self, stream_id: str, listener: Listener, bulk: bool) -> DecodeStream:
        """Open a stream; the engine hears of it with its first window."""
        if self._watch is None:
            self._client._run_output_handler()
            self._watch = asyncio.create_task(self._look_after())
        self._count = (self._count + 1) % (1 << 31)
        stream = DecodeStream(self, self._count, listener, bulk)
        self._streams[self._count] = stream
        return stream

    # ---- windows there ---------------------------------------------------------------

    def feed(self, stream: DecodeStream, window: Samples) -> None:
        """Send a window with the next tick, once the stream has a place."""
        if not (stream.started or self._start(stream)):
            stream.held.append(window)
            return
        self._fed += (stream.number, window.nbytes)
        self._windows.append(window)
        self._schedule()

    def _start(self, stream: DecodeStream) -> bool:
        if stream.bulk:
            if stream.held or not self._bulk_places:
                if not stream.held:
                    self._bulk_waiting.append(stream)
                return False
            self._bulk_places -= 1
        stream.started = True
        self._opened += (stream.number, int(stream.bulk))
        return True

    def close(self, stream: DecodeStream, tell: bool = True) -> None:
        """Give a stream's place back; `tell` the engine, unless it knows."""
        if self._streams.pop(stream.number, None) is None:
            return
        if not stream.started:
            if stream.held:
                self._bulk_waiting.remove(stream)
            return
        if tell:
            self._closed.append(stream.number)
            self._schedule()
        if stream.bulk:
            self._bulk_places += 1
            if self._bulk_waiting:
                self._release(self._bulk_waiting.popleft())

    def _release(self, stream: DecodeStream) -> None:
        held, stream.held = stream.held, []
        for window in held:
            self.feed(stream, window)

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait = self._last_tick + TICK_S - time.monotonic()
            self._timer = loop.call_later(max(0.0, wait), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._last_tick = time.monotonic()
        audio = np.concatenate(self._windows).tobytes() if self._windows else b""
        client = self._core.client_index
        arguments = (client, self._prompt, self._opened, self._fed, audio, self._closed)
        call = (client, CALL_ID, UTILITY, arguments)
        self._opened, self._fed, self._windows, self._closed = [], [], [], []
        message = (EngineCoreRequestType.UTILITY.value, *self._core.encoder.encode(call))
        try:
            self._core._send_input_message(message, self._core.core_engine)
        except Exception:  # whatever vLLM raises, the engine is out of reach
            logger.exception("the engine cannot be reached")
            self.lose_all(EngineDead)

    # ---- tokens back -----------------------------------------------------------------

    def answer(self, data: bytes) -> None:
        """Take the tokens of a step."""
        for number, token in unpack(data):
            stream = self._streams.get(number)
            if stream is None:
                continue  # closed while the step was on its way
            if token == LOST:
                self._lose(stream, EngineFailed(), tell=False)
            else:
                self._answered += 1
                stream.listener.token(token)
        if time.monotonic() - self._recorded > RECORD_S:
            self._record()

    def lose_all(self, error: Callable[[], VoxtideError]) -> None:
        """Every stream is gone."""
        for stream in list(self._streams.values()):
            self._lose(stream, error(), tell=True)

    def _lose(self, stream: DecodeStream, error: VoxtideError, tell: bool) -> None:
        if stream.number in self._streams:  # its session may have closed it meanwhile
            self.close(stream, tell)
            stream.listener.lost(error)

    async def _look_after(self) -> None:
        """Notice that the engine has died."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self._client.errored:
                self.lose_all(EngineDead)
            self._record()

    def _record(self) -> None:
        """Keep vLLM's own count of tokens true, which it does not see on this way."""
        self._recorded = time.monotonic()
        if self._answered and self._client.logger_manager is not None:
            stats: Any = vllm_stats.IterationStats()  # type: ignore[no-untyped-call]
            stats.num_generation_tokens, self._answered = self._answered, 0
            self._client.logger_manager.record(None, stats)


class DecodeStream:
    """One stream.

    Attributes:
        started: whether the engine has heard of it.
        held: windows that wait for a place; only bulk streams do.
    """

    def __init__(self, streams: DecodeStreams, number: int, listener: Listener, bulk: bool) -> None:
        self.number = number
        self.listener = listener
        self.bulk = bulk
        self.started = False
        self.held: list[Samples] = []
        self._streams = streams

    def feed(self, window: Samples) -> None:
        """Queue the next window. Never blocks."""
        self._streams.feed(self, window)

    def close(self) -> None:
        """Give the stream's place in the engine back."""
        self._streams.close(self)


class _Answers:
    """Stands where vLLM keeps the future of a call: it is told of every answer."""

    def __init__(self, streams: DecodeStreams) -> None:
        self._streams = streams

    def set_result(self, data: bytes) -> None:
        """Tokens have come."""
        self._streams._core.utility_results[CALL_ID] = self
        self._streams.answer(data)

    def set_exception(self, error: Exception) -> None:
        """A tick could not be taken, so the streams' audio has a hole."""
        self._streams._core.utility_results[CALL_ID] = self
        logger.error("a tick failed: %s", error)
        self._streams.lose_all(EngineFailed)
