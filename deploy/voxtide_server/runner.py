"""Carries out what a session decides: the one place where it meets the engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import logs, metrics
from .config import Config
from .effects import CloseStream, Effect, Emit, FeedStream, OpenStream
from .engine import Engine, EngineStream, Samples
from .errors import EngineDead, EngineFailed, InternalError, VoxtideError
from .events import Acknowledged, Audio, Command, Event
from .logs import logger
from .session import Session
from .watch import Progress

CUT_OFF_S = 15.0
"""Seconds without a sample after which a session gives its place in the engine back where
they stopped in the middle of speech: a network that stands still goes on."""
UNFINISHED = 4
"""Committed turns of a live session that may be unfinished before the client waits."""
WATCH_S = 1.0
"""Seconds between two looks at a session's streams."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may ask of the engine.

    Attributes:
        backlog_s: seconds of audio that may wait for the engine before the client waits.
        unfinished: committed turns that may be unfinished before the client waits.
        queue_s: seconds that a stream may wait for its place in the engine.
        stall_s: seconds without a token, with audio waiting, after which a stream counts
            as lost.
        idle_s: seconds without a sample, in a pause, after which a session gives its place
            in the engine back.
        bulk: whether live streams come first.
    """

    backlog_s: float
    unfinished: int
    queue_s: float
    stall_s: float
    idle_s: float
    bulk: bool


def live(config: Config) -> Limits:
    """For sessions over a WebSocket."""
    return Limits(
        backlog_s=config.backlog_seconds,
        unfinished=UNFINISHED,
        queue_s=config.queue_seconds,
        stall_s=config.stall_seconds,
        idle_s=config.idle_seconds,
        bulk=False,
    )


class Runner:
    """A session with its engine streams.

    Args:
        session: whose effects are carried out.
        engine: where its streams are opened.
        on_event: is told every event, in order.
        on_end: is told why the session cannot go on; every turn has failed by then, but for
            those of a client that can go on elsewhere when the engine is dead.
        limits: of what the session may ask of the engine.
        progress: is shown how it gets on.
    """

    def __init__(
        self,
        session: Session,
        engine: Engine,
        on_event: Callable[[Event], None],
        on_end: Callable[[VoxtideError], None],
        limits: Limits,
        progress: Progress,
    ) -> None:
        self._session = session
        self._engine = engine
        self._on_event = on_event
        self._on_end = on_end
        self._limits = limits
        self._streams: dict[str, _Stream] = {}
        self._progress = progress
        self._commits = 0
        self._room = asyncio.Event()
        self._last_audio = 0.0
        self._watch: asyncio.Task[None] | None = None

    def command(self, command: Command) -> None:
        """Take a command of the client."""
        before = self._session.audio_s
        effects = self._session.command(command)
        if isinstance(command, Audio):
            self._last_audio = time.monotonic()
            after = self._session.audio_s
            self._progress.audio(after, after - before, self._last_audio)
        self._note_commits()
        self._apply(effects)

    @property
    def audio_s(self) -> float:
        """Seconds of audio that have come."""
        return self._session.audio_s

    @property
    def in_turn(self) -> bool:
        """Whether there is something to finish."""
        return self._session.in_turn

    @property
    def goes_on_elsewhere(self) -> Acknowledged | None:
        """Where the client would go on in another session; None if it does not know how to."""
        return self._session.acknowledged() if self._session.acknowledges else None

    async def room(self) -> None:
        """Wait until the session may take more audio."""
        session, limits = self._session, self._limits
        while session.backlog_s > limits.backlog_s or session.unfinished > limits.unfinished:
            self._room.clear()
            await self._room.wait()

    async def close(self) -> None:
        """End the session's streams; they are given back before this waits for anything.

        Nothing that has a part in the session is referred to from then on, so that its audio
        goes with it and not with the garbage collector, which comes every few minutes.
        """
        # Or nobody would, where this is cancelled too, as it is for who left a response.
        self._apply(self._session.close())
        self._tell(0.0)
        self._on_event = self._on_end = _nobody
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    # ---- session -> engine, client ---------------------------------------------------

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case OpenStream(name, reason, logprobs):
                    metrics.STREAMS.labels(reason).inc()
                    self._open(name, logprobs)
                case FeedStream(name, window):
                    self._streams[name].feed(window)
                case CloseStream(name):
                    self._streams.pop(name).close()
                case Emit(event):
                    self._progress.event(event, time.monotonic())
                    self._on_event(event)

    def _open(self, name: str, logprobs: bool) -> None:
        stream = self._streams[name] = _Stream(self, name)
        stream.engine_stream = self._engine.open(
            name, stream, bulk=self._limits.bulk, logprobs=logprobs
        )
        if self._watch is None:
            self._watch = asyncio.create_task(self._look_after())

    # ---- engine -> session -----------------------------------------------------------

    def token(self, name: str, token: int, logprob: float | None) -> None:
        """A stream has brought a token."""
        with self._answerable():
            effects = self._session.token(name, token, logprob)
            self._progress.frame(self._session.heard_s, time.monotonic())
            self._note_commits()
            self._apply(effects)

    def lost(self, name: str, error: VoxtideError) -> None:
        """The engine has lost a stream."""
        with self._answerable():
            if isinstance(error, EngineDead):
                self._end(error)
            else:
                text = "%s: lost, its audio is heard again: %s"
                logger.warning(text, name, error, extra=logs.about(self._session.id))
                self._apply(self._session.stream_lost(name, error))

    @contextmanager
    def _answerable(self) -> Iterator[None]:
        """Whatever goes wrong here, nobody may wait for ever because of it."""
        try:
            yield
        except Exception:
            logger.exception("internal error", extra=logs.about(self._session.id))
            self._end(InternalError())
        self._room.set()

    def _end(self, error: VoxtideError) -> None:
        error.acknowledged_s = self._session.acknowledged_s
        if isinstance(error, EngineDead) and (acknowledged := self.goes_on_elsewhere):
            self._on_event(acknowledged)
        else:
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
                self._tell(self._session.backlog_s)
                self._give_back_if_idle(now)
                for stream in list(self._streams.values()):
                    self._give_up_if_forgotten(stream)

    def _note_commits(self) -> None:
        if self._session.commits != self._commits:
            new = self._session.commits - self._commits
            self._commits = self._session.commits
            self._progress.committed(new, time.monotonic())

    def _tell(self, backlog_s: float) -> None:
        self._progress.tell(self._session.audio_s - self._session.heard_s, backlog_s)

    def _give_back_if_idle(self, now: float) -> None:
        silent = now - self._last_audio
        if silent > self._limits.idle_s:
            self._apply(self._session.idle(in_pause=silent <= CUT_OFF_S))

    def _give_up_if_forgotten(self, stream: _Stream) -> None:
        waits = stream.waits_s()
        if not stream.heard and waits > self._limits.queue_s:
            text = "%s: no place in the engine for %.0f s"
            logger.error(text, stream.name, waits, extra=logs.about(self._session.id))
            error = EngineFailed("The engine has no place for this audio.")
            self._apply(self._session.stream_failed(stream.name, error))
        elif stream.heard and waits > self._limits.stall_s:
            self.lost(stream.name, EngineFailed("The engine does not answer."))


class _Stream:
    """One engine stream, and how long it has been waited for."""

    engine_stream: EngineStream

    def __init__(self, runner: Runner, name: str) -> None:
        self.name = name
        self.heard = 0
        self._runner: Runner | None = runner
        self._fed = 0
        self._since = time.monotonic()

    def feed(self, window: Samples) -> None:
        """Pass a window on."""
        if self._fed == self.heard:
            self._since = time.monotonic()
        self._fed += 1
        self.engine_stream.feed(window)

    def close(self) -> None:
        """Give the place in the engine back, and forget whom it was for."""
        self.engine_stream.close()
        del self.engine_stream
        self._runner = None

    def waits_s(self) -> float:
        """Seconds since the last token, if another is due."""
        return time.monotonic() - self._since if self._fed > self.heard else 0.0

    def token(self, token: int, logprob: float | None = None) -> None:
        """As `engine.Listener`."""
        self.heard += 1
        self._since = time.monotonic()
        if self._runner is not None:  # or this was on its way when the stream was closed
            self._runner.token(self.name, token, logprob)

    def lost(self, error: VoxtideError) -> None:
        """As `engine.Listener`."""
        if self._runner is not None:
            self._runner.lost(self.name, error)


def _nobody(told: object) -> None:
    """Whom an ended session tells."""
