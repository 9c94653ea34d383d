"""Carries out what a session decides: the one place where it meets the engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from .engine import Engine, EngineStream
from .errors import EngineFailed, VoxtideError
from .events import Command, Event
from .session import CloseStream, Effect, Emit, FeedStream, OpenStream, Session

logger = logging.getLogger("voxtide")

MAX_BACKLOG_S = 10.0
"""Seconds of audio that may wait for the engine before a client is made to wait."""
MAX_UNFINISHED = 4
"""Committed turns that may be unfinished before a client is made to wait."""


class Runner:
    """A session with its engine streams.

    Args:
        session: whose effects are carried out.
        engine: where its streams are opened.
        on_event: is told every event, in order.
    """

    def __init__(self, session: Session, engine: Engine, on_event: Callable[[Event], None]) -> None:
        self._session = session
        self._engine = engine
        self._on_event = on_event
        self._streams: dict[str, EngineStream] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._progress = asyncio.Event()

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
        pumps = list(self._pumps.values())
        self._apply(self._session.close())
        await asyncio.gather(*pumps, return_exceptions=True)

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

    def _close(self, name: str) -> None:
        del self._streams[name]
        pump = self._pumps[name]
        if pump is not asyncio.current_task():  # its own loop sees that the stream is gone
            pump.cancel()

    async def _pump(self, name: str, stream: EngineStream) -> None:
        try:
            async with aclosing(stream.tokens()) as tokens:
                async for token in tokens:
                    self._apply(self._session.token(name, token))
                    self._progress.set()
                    if name not in self._streams:
                        return
        except EngineFailed as error:
            self._lose(name, error)
        except Exception:  # a bug, but nobody may wait for ever because of it
            logger.exception("%s: internal error", name)
            self._lose(name, VoxtideError("internal_error", "The server made a mistake."))

    def _lose(self, name: str, error: VoxtideError) -> None:
        self._apply(self._session.stream_failed(name, error))
        self._progress.set()
