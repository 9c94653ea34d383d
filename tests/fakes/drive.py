"""A session with fake engine streams, driven step by step without any I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from tests.fakes.engine import LAYOUT, FakeListener, FakeVocabulary, say, silence
from voxtide_server.effects import CloseStream, Effect, Emit, FeedStream, OpenStream
from voxtide_server.engine import Samples, StreamLayout
from voxtide_server.errors import EngineFailed, VoxtideError
from voxtide_server.events import (
    Audio,
    Command,
    Commit,
    Completed,
    Delta,
    Event,
    Failed,
)
from voxtide_server.session import Session


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
        self.listeners: dict[str, FakeListener] = {}

    def say(self, *pieces: Samples) -> None:
        """Send audio and let the engine answer all of it."""
        for piece in pieces:
            self.command(Audio(piece))
            self.answer()

    def commit(self) -> Completed:
        """Commit and let the engine answer."""
        self.command(Commit())
        self.answer()
        last = self.finals()[-1]
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
                    listener = self.listeners[name]
                    listener.deaf = list(self.listeners).index(name) in self.deaf
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
                    assert name not in self.listeners, "stream ids are unique"
                    self.opened += 1
                    self.streams[name] = deque()
                    self.listeners[name] = FakeListener()
                case FeedStream(name, window):
                    self.streams[name].append(window)
                case CloseStream(name):
                    del self.streams[name]
                case Emit(event):
                    self.events.append(event)


def renewing() -> Drive:
    """A session whose legs are renewed after 6 s, the least there is."""
    return Drive(layout=replace(LAYOUT, renew_after=75))


def text(*numbers: int) -> str:
    """What the engine hears in these words."""
    return " ".join(f"w{n}" for n in numbers)


def heard(drive: Drive) -> str:
    """What the client was told so far, committed or not."""
    return "".join(e.text for e in drive.events if isinstance(e, Delta)).strip()


def speech(*numbers: int) -> Samples:
    """Words, 0.6 s each with the gap after it; loud and clear from number 25 on."""
    return np.concatenate([np.concatenate((say(n), silence(0.3))) for n in numbers])


WORDS = st.lists(
    st.tuples(st.integers(0, 999), st.floats(0.1, 2.5), st.floats(0.1, 2.0)), max_size=20
)
"""Words with their length and the length of the gap after each, in seconds."""


def every_word_comes_once(
    words: list[tuple[int, float, float]],
    cut: int,
    commits: set[int],
    lag: int,
    after: Callable[[Drive, int], object] = lambda *_: None,
) -> None:
    """Say words, and check that each comes once and in its turn.

    Args:
        words: as WORDS draws them.
        cut: samples of a message.
        commits: after which words the client commits; it does so at the end as well.
        lag: windows that the engine answers for each message.
        after: is called with the number of each message.
    """
    drive = renewing()
    expected: list[list[int]] = [[]]
    message = 0
    for number, (word, length, gap) in enumerate(words):
        audio = np.concatenate((say(word, length), silence(gap)))
        for start in range(0, len(audio), cut):
            drive.command(Audio(audio[start : start + cut]))
            drive.answer(most=lag)
            after(drive, message)
            message += 1
        expected[-1].append(word)
        if number in commits:
            drive.command(Commit())
            expected.append([])
    drive.command(Commit())
    drive.answer()
    assert [getattr(f, "text", None) for f in drive.finals()] == [text(*turn) for turn in expected]
    assert heard(drive).split() == [f"w{word}" for word, _, _ in words]
    assert not drive.streams
