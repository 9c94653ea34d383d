"""Streams as decode requests: the half of it in the API server.

Windows of all streams of this process go to the engine core in ticks. The first one
goes at once; while more come within TICK_S, they are gathered. A token comes back
for each window and goes straight to the stream's listener: no task, no queue and no
output object of vLLM's for a frame.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

import numpy as np
from vllm.v1.engine import EngineCoreRequestType
from vllm.v1.metrics import stats as vllm_stats

from ..engine import Listener, Samples
from ..errors import EngineDead, EngineFailed, VoxtideError
from ..logs import logger
from .ticks import BULK, CALL_ID, LOGPROB, LOGPROBS, LOST, UTILITY, as_float, unpack

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
        places: for streams of this process in the engine.
    """

    def __init__(self, client: Any, prompt: list[int], places: int) -> None:
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
        # A tick is of all streams: its lines in the log are about no request.
        self._nobody = Context()
        self._last_tick = 0.0
        self._watch: asyncio.Task[None] | None = None
        self._answered = 0
        self._recorded = 0.0
        # Half of the places at the most, so that live streams find theirs. Where it is the
        # KV cache that bounds them, a window of a file takes a fraction of what is counted.
        self._bulk_places = max(1, places // 2)
        self._bulk_waiting: deque[DecodeStream] = deque()
        self._core.utility_results[CALL_ID] = _Answers(self)

    def open(self, listener: Listener, bulk: bool, logprobs: bool) -> DecodeStream:
        """Open a stream; the engine hears of it with its first window."""
        if self._watch is None:
            self._client._run_output_handler()
            self._watch = asyncio.create_task(self._look_after())
        self._count = (self._count + 1) % (1 << 31)
        stream = DecodeStream(self, self._count, listener, bulk, logprobs)
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
        self._opened += (stream.number, BULK * stream.bulk | LOGPROBS * stream.logprobs)
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
            self._timer = loop.call_later(max(0.0, wait), self._tick, context=self._nobody)

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
        logprob: float | None = None
        for number, token in unpack(data):
            if number == LOGPROB:
                logprob = as_float(token)
                continue
            stream = self._streams.get(number)
            known, logprob = logprob, None
            if stream is None:
                continue  # closed while the step was on its way
            if token == LOST:
                self._lose(stream, EngineFailed(), tell=False)
            else:
                self._answered += 1
                stream.listener.token(token, known)
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

    def __init__(
        self, streams: DecodeStreams, number: int, listener: Listener, bulk: bool, logprobs: bool
    ) -> None:
        self.number = number
        self.listener = listener
        self.bulk = bulk
        self.logprobs = logprobs
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
