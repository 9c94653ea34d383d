"""Carries out what a session decides: the one place where it meets the engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from .engine import Engine, EngineStream
from .errors import EngineDead, EngineFailed, InternalError, VoxtideError
from .events import Command, Event
from .session import CloseStream, Effect, Emit, FeedStream, OpenStream, Session

logger = logging.getLogger("voxtide")

MAX_BACKLOG_S = 10.0
"""Seconds of audio that may wait for the engine before a client is made to wait."""
MAX_UNFINISHED = 4
"""Committed turns that may be unfinished before a client is made to wait."""
STALL_S = 60.0
"""Seconds without a token, with audio waiting, after which a stream counts as lost."""


class Runner:
    """A session with its engine streams.

    Args:
        session: whose effects are carried out.
        engine: where its streams are opened.
        on_event: is told every event, in order.
        on_end: is told why the session cannot go on; every turn has failed by then.
    """

    def __init__(
        self,
        session: Session,
        engine: Engine,
        on_event: Callable[[Event], None],
        on_end: Callable[[VoxtideError], None],
    ) -> None:
        self._session = session
        self._engine = engine
        self._on_event = on_event
        self._on_end = on_end
        self._streams: dict[str, EngineStream] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._progress = asyncio.Event()
        self._heard = 0
        self._watch: asyncio.Task[None] | None = None

    def command(self, command: Command) -> None:
        """Take a command of the client."""
        self._apply(self._session.command(command))

    async def room(self) -> None:
        """Wait until the session may take more audio."""
        while self._session.backlog_s > MAX_BACKLOG_S or self._session.unfinished > MAX_UNFINISHED:
            self._progress.clear()
            await self._progress.wait()

    async def close(self) -> None:
        """End the session's streams and wait until they have ended."""
        tasks = list(self._pumps.values())
        if self._watch is not None:
            self._watch.cancel()
            tasks.append(self._watch)
        self._apply(self._session.close())
        await asyncio.gather(*tasks, return_exceptions=True)

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case OpenStream(name):
                    self._open(name)
                case FeedStream(name, window):
                    self._streams[name].feed(window)
                case CloseStream(name):
                    self._close(name)
                case Emit(event):
                    self._on_event(event)

    def _open(self, name: str) -> None:
        stream = self._streams[name] = self._engine.open(name)
        task = self._pumps[name] = asyncio.create_task(self._pump(name, stream))
        task.add_done_callback(lambda _: self._pumps.pop(name, None))
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_for_stalls())

    def _close(self, name: str) -> None:
        del self._streams[name]
        pump = self._pumps.get(name)
        if pump is not None and pump is not asyncio.current_task():
            pump.cancel()  # in its own task, the loop sees that the stream is gone

    async def _pump(self, name: str, stream: EngineStream) -> None:
        try:
            async with aclosing(stream.tokens()) as tokens:
                async for token in tokens:
                    self._heard += 1
                    self._apply(self._session.token(name, token))
                    self._progress.set()
                    if name not in self._streams:
                        return
        except EngineDead as error:
            self._end(error)
        except EngineFailed as error:
            logger.error("%s: %s", name, error, exc_info=error)
            self._lose(name, error)
        except Exception:  # a bug, but nobody may wait for ever because of it
            logger.exception("%s: internal error", name)
            self._end(InternalError())

    async def _watch_for_stalls(self) -> None:
        while True:
            heard, waiting = self._heard, self._session.backlog_s > 0
            await asyncio.sleep(STALL_S)
            if waiting and heard == self._heard and self._session.backlog_s > 0:
                logger.error("%s: no token for %s s", ", ".join(self._streams), STALL_S)
                for name in list(self._streams):
                    self._lose(name, EngineFailed("The engine does not answer."))

    def _lose(self, name: str, error: VoxtideError) -> None:
        self._apply(self._session.stream_failed(name, error))
        self._progress.set()

    def _end(self, error: VoxtideError) -> None:
        for name in list(self._streams):
            self._lose(name, error)
        self._on_end(error)
