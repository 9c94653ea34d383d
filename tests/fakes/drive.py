"""A session with fake engine streams, driven step by step without any I/O."""

from __future__ import annotations

from collections import deque

from tests.fakes.engine import LAYOUT, FakeListener, FakeVocabulary
from voxtide_server.engine import Samples, StreamLayout
from voxtide_server.errors import EngineFailed, VoxtideError
from voxtide_server.events import (
    Audio,
    Command,
    Commit,
    Completed,
    Event,
    Failed,
)
from voxtide_server.session import CloseStream, Effect, Emit, FeedStream, OpenStream, Session


class Drive:
    """Carries out effects; the engine answers when `answer` says so.

    Attributes:
        events: all that the client was told.
        streams: windows that wait for the engine, by stream.
        opened: streams that were ever opened.
        longest: tokens of the longest stream.
        deaf: numbers of streams, in the order in which they are opened, that say only
            blanks from now on.
    """

    def __init__(self, rate: int = 16_000, layout: StreamLayout = LAYOUT) -> None:
        self.session = Session("s", layout, FakeVocabulary(), rate)
        self.events: list[Event] = []
        self.opened = 0
        self.longest = 0
        self.deaf: set[int] = set()
        self.streams: dict[str, deque[Samples]] = {}
        self._listeners: dict[str, FakeListener] = {}

    def say(self, *pieces: Samples) -> None:
        """Send audio and let the engine answer all of it."""
        for piece in pieces:
            self.command(Audio(piece))
            self.answer()

    def commit(self) -> Completed:
        """Commit and let the engine answer."""
        self.command(Commit())
        self.answer()
        last = self.events[-1]
        assert isinstance(last, Completed)
        return last

    def command(self, command: Command) -> None:
        self.carry_out(self.session.command(command))

    def answer(self, most: int | None = None) -> None:
        """Let every stream answer its windows, `most` of them at the most."""
        for _ in range(most if most is not None else 1_000_000):
            waiting = [name for name, windows in self.streams.items() if windows]
            if not waiting:
                return
            for name in waiting:
                if name in self.streams:
                    listener = self._listeners[name]
                    listener.deaf = list(self._listeners).index(name) in self.deaf
                    token = listener.hear(self.streams[name].popleft())
                    self.longest = max(self.longest, listener.windows)
                    self.carry_out(self.session.token(name, token))

    def lose(self, *names: str, error: VoxtideError | None = None) -> None:
        """The engine loses these streams, or all that are open."""
        for name in names or list(self.streams):
            self.carry_out(self.session.stream_lost(name, error or EngineFailed()))

    def fail(self) -> None:
        """Every open stream is lost, and another would be no better."""
        for name in list(self.streams):
            self.carry_out(self.session.stream_failed(name, EngineFailed()))

    def idle(self) -> None:
        """No sample has come for a while."""
        self.carry_out(self.session.idle())

    def finals(self) -> list[Completed | Failed]:
        return [e for e in self.events if isinstance(e, Completed | Failed)]

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case OpenStream(name):
                    assert name not in self._listeners, "stream ids are unique"
                    self.opened += 1
                    self.streams[name] = deque()
                    self._listeners[name] = FakeListener()
                case FeedStream(name, window):
                    self.streams[name].append(window)
                case CloseStream(name):
                    del self.streams[name]
                case Emit(event):
                    self.events.append(event)
