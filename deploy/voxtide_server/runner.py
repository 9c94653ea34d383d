"""Carries out what a session decides: the one place where it meets the engine."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .engine import Engine, EngineStream, Samples
from .errors import EngineDead, EngineFailed, InternalError, VoxtideError
from .events import Audio, Command, Event
from .session import CloseStream, Effect, Emit, FeedStream, OpenStream, Session

logger = logging.getLogger("vllm.voxtide")

STALL_S = 15.0
"""Seconds without a token, with audio waiting, after which a stream counts as lost."""
IDLE_S = 3.0
"""Seconds without a sample after which a session gives its place in the engine back..."""
CUT_OFF_S = 15.0
"""...and where they stopped in the middle of speech: a network that stands still goes on."""
WATCH_S = 1.0
"""Seconds between two looks at a session's streams."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may ask of the engine.

    Attributes:
        backlog_s: seconds of audio that may wait for the engine before the client waits.
        unfinished: committed turns that may be unfinished before the client waits.
        queue_s: seconds that a stream may wait for its place in the engine.
        bulk: whether live streams come first.
    """

    backlog_s: float
    unfinished: int
    queue_s: float
    bulk: bool


LIVE = Limits(backlog_s=10.0, unfinished=4, queue_s=60.0, bulk=False)
"""For sessions over a WebSocket."""


class Runner:
    """A session with its engine streams.

    Args:
        session: whose effects are carried out.
        engine: where its streams are opened.
        on_event: is told every event, in order.
        on_end: is told why the session cannot go on; every turn has failed by then.
        limits: of what the session may ask of the engine.
    """

    def __init__(
        self,
        session: Session,
        engine: Engine,
        on_event: Callable[[Event], None],
        on_end: Callable[[VoxtideError], None],
        limits: Limits = LIVE,
    ) -> None:
        self._session = session
        self._engine = engine
        self._on_event = on_event
        self._on_end = on_end
        self._limits = limits
        self._streams: dict[str, _Stream] = {}
        self._progress = asyncio.Event()
        self._last_audio = 0.0
        self._watch: asyncio.Task[None] | None = None

    def command(self, command: Command) -> None:
        """Take a command of the client."""
        if isinstance(command, Audio):
            self._last_audio = time.monotonic()
        self._apply(self._session.command(command))

    async def room(self) -> None:
        """Wait until the session may take more audio."""
        session, limits = self._session, self._limits
        while session.backlog_s > limits.backlog_s or session.unfinished > limits.unfinished:
            self._progress.clear()
            await self._progress.wait()

    async def close(self) -> None:
        """End the session's streams."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._apply(self._session.close())

    # ---- session -> engine, client ---------------------------------------------------

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case OpenStream(name):
                    self._open(name)
                case FeedStream(name, window):
                    self._streams[name].feed(window)
                case CloseStream(name):
                    self._streams.pop(name).close()
                case Emit(event):
                    self._on_event(event)

    def _open(self, name: str) -> None:
        stream = self._streams[name] = _Stream(self, name)
        stream.engine_stream = self._engine.open(name, stream, bulk=self._limits.bulk)
        if self._watch is None:
            self._watch = asyncio.create_task(self._look_after())

    # ---- engine -> session -----------------------------------------------------------

    def token(self, name: str, token: int) -> None:
        """A stream has brought a token."""
        with self._answerable():
            self._apply(self._session.token(name, token))

    def lost(self, name: str, error: VoxtideError) -> None:
        """The engine has lost a stream."""
        with self._answerable():
            if isinstance(error, EngineDead):
                self._end(error)
            else:
                logger.warning("%s: lost, its audio is heard again: %s", name, error)
                self._apply(self._session.stream_lost(name, error))

    @contextmanager
    def _answerable(self) -> Iterator[None]:
        """Whatever goes wrong here, nobody may wait for ever because of it."""
        try:
            yield
        except Exception:
            logger.exception("internal error")
            self._end(InternalError())
        self._progress.set()

    def _end(self, error: VoxtideError) -> None:
        error.acknowledged_s = self._session.acknowledged_s
        self._apply(self._session.fail(error))
        self._on_end(error)

    async def _look_after(self) -> None:
        """Give back what is idle, and notice streams that the engine has forgotten."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(WATCH_S)
            now = time.monotonic()
            if now - began > 2 * WATCH_S:
                continue  # this process was busy: what came meanwhile has not been read yet
            with self._answerable():
                self._give_back_if_idle(now)
                for stream in list(self._streams.values()):
                    self._give_up_if_forgotten(stream)

    def _give_back_if_idle(self, now: float) -> None:
        silent = now - self._last_audio
        if silent > IDLE_S:
            self._apply(self._session.idle(in_pause=silent <= CUT_OFF_S))

    def _give_up_if_forgotten(self, stream: _Stream) -> None:
        waits = stream.waits_s()
        if not stream.heard and waits > self._limits.queue_s:
            logger.error("%s: no place in the engine for %.0f s", stream.name, waits)
            error = EngineFailed("The engine has no place for this audio.")
            self._apply(self._session.stream_failed(stream.name, error))
        elif stream.heard and waits > STALL_S:
            self.lost(stream.name, EngineFailed("The engine does not answer."))


class _Stream:
    """One engine stream, and how long it has been waited for."""

    engine_stream: EngineStream

    def __init__(self, runner: Runner, name: str) -> None:
        self.name = name
        self.heard = 0
        self._runner = runner
        self._fed = 0
        self._since = time.monotonic()

    def feed(self, window: Samples) -> None:
        """Pass a window on."""
        if self._fed == self.heard:
            self._since = time.monotonic()
        self._fed += 1
        self.engine_stream.feed(window)

    def close(self) -> None:
        """Give the place in the engine back."""
        self.engine_stream.close()

    def waits_s(self) -> float:
        """Seconds since the last token, if another is due."""
        return time.monotonic() - self._since if self._fed > self.heard else 0.0

    def token(self, token: int) -> None:
        """As `engine.Listener`."""
        self.heard += 1
        self._since = time.monotonic()
        self._runner.token(self.name, token)

    def lost(self, error: VoxtideError) -> None:
        """As `engine.Listener`."""
        self._runner.lost(self.name, error)
