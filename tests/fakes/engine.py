"""An engine that hears words which are written into the samples.

A word is a burst of samples of one constant value, which names it, and begins
with a few samples of the opposite value; silence is zero. Like the model, the
engine says a word marker in the frame in which a word ends, the word's pieces in
the frames after it, and blanks otherwise. It hears nothing in a word whose
beginning it has missed. So a test can say exactly which words an audio holds, and
a session that cuts one loses it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import numpy as np

from voxtide_server.engine import FRAME_SAMPLES, Listener, Samples, StreamLayout
from voxtide_server.errors import EngineDead, EngineFailed

LAYOUT = StreamLayout(
    delay=6,
    left_pad=32,
    right_pad=17,
    look_ahead=40,
    look_back=800,
    max_tokens=100_000,
    renew_after=750,
)
BLANK, WORD, FIRST_PIECE = 32, 33, 100
_STEP = 1 / 4096
_ONSET = 160


def say(word: int, seconds: float = 0.3) -> Samples:
    """The sound of word number `word` (0 to 999)."""
    sound = np.full(round(seconds * 16_000), (word + 1) * _STEP, np.float32)
    sound[:_ONSET] *= -1
    return sound


def silence(seconds: float) -> Samples:
    """No sound."""
    return np.zeros(round(seconds * 16_000), np.float32)


class FakeVocabulary:
    """Word k is " w{k}", in two pieces (" w", "{k}") from word 500 on."""

    blank = BLANK
    word = WORD

    def piece(self, token: int) -> bytes:
        if token < FIRST_PIECE:
            return b""
        word, half = divmod(token - FIRST_PIECE, 2)
        if word < 500:
            return f" w{word}".encode()
        return str(word).encode() if half else b" w"

    def tokens(self, word: int) -> list[int]:
        first = FIRST_PIECE + 2 * word
        return [WORD, first] if word < 500 else [WORD, first, first + 1]


class FakeListener:
    """Windows in, tokens out: what one engine stream does, without any I/O.

    Attributes:
        windows: that were heard so far.
        deaf: whether it says only blanks, whatever it hears.
    """

    def __init__(self) -> None:
        self.windows = 0
        self.deaf = False
        self._ahead: Samples = np.empty(0, np.float32)
        self._word = 0
        self._queue: deque[int] = deque()

    def hear(self, window: Samples) -> int:
        """The token that a window brings."""
        frames = LAYOUT.prompt if self.windows == 0 else 1
        back = 0 if self.windows == 0 else LAYOUT.look_back
        assert len(window) == back + frames * FRAME_SAMPLES + LAYOUT.look_ahead
        new = window[back : back + frames * FRAME_SAMPLES]
        if self.windows == 0:
            pad = LAYOUT.left_pad * FRAME_SAMPLES
            assert not new[:pad].any(), "a stream begins with silence"
            new = new[pad:]
        self.windows += 1
        if self.deaf:
            return BLANK
        self._ahead = np.concatenate((self._ahead, new))
        self._listen(self._ahead[:FRAME_SAMPLES])
        self._ahead = self._ahead[FRAME_SAMPLES:]
        return self._queue.popleft() if self._queue else BLANK

    def _listen(self, frame: Samples) -> None:
        codes = np.rint(frame / _STEP).astype(int)
        for run in np.split(codes, np.flatnonzero(np.diff(codes)) + 1):
            code = int(run[0])
            if code in (self._word, -self._word) and code:
                continue  # the word goes on, or its beginning does
            if self._word:
                self._queue.extend(FakeVocabulary().tokens(self._word - 1))
            self._word = -code if code < 0 else 0


class FakeStream:
    answers: int | None = None
    """Windows that it answers before it falls silent; None for all."""

    def __init__(self, engine: FakeEngine, listener: Listener, logprobs: bool) -> None:
        self._engine = engine
        self._logprob = -0.25 if logprobs else None
        self._listener = listener
        self._windows: asyncio.Queue[Samples] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())
        self._closed = False
        engine.live += 1
        engine.most = max(engine.most, engine.live)

    def feed(self, window: Samples) -> None:
        self._windows.put_nowait(window)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._engine.live -= 1
            self._task.cancel()

    async def _run(self) -> None:
        listener = FakeListener()
        while not self._closed and listener.windows != self.answers:
            window = await self._windows.get()
            await self._engine.going.wait()
            if self._engine.dead:
                self._listener.lost(EngineDead())
                return
            self._engine.answered += 1
            self._listener.token(listener.hear(window), self._logprob)


class LostStream(FakeStream):
    """A stream that the engine loses with its first window."""

    async def _run(self) -> None:
        await self._windows.get()
        self._listener.lost(EngineFailed())


class UnplacedStream(FakeStream):
    """A stream that never gets a place in the engine."""

    answers = 0


class StalledStream(FakeStream):
    """A stream that the engine forgets after its fifth token."""

    answers = 5


class FakeEngine:
    """See the module.

    Attributes:
        live: streams that are open now.
        most: streams that were ever open at once.
        opened: streams that were ever opened.
        bulk: those of them that were opened as bulk.
        answered: windows that were answered.
        going: cleared, the engine answers nothing.
        dead: set, every stream fails with its next window.
        kind: what the stream of an id is.
    """

    models = ("fake", "fake-too")
    layout = LAYOUT
    places = 100

    def __init__(self) -> None:
        self.vocabulary = FakeVocabulary()
        self.live = 0
        self.most = 0
        self.opened = 0
        self.bulk = 0
        self.answered = 0
        self.dead = False
        self.going = asyncio.Event()
        self.going.set()
        self.kind: Callable[[str], type[FakeStream]] = lambda _: FakeStream

    @property
    def alive(self) -> bool:
        return not self.dead

    def begin_with(self, *kinds: type[FakeStream]) -> None:
        """The next streams are of these kinds, and later ones as they should be."""
        following = iter(kinds)
        self.kind = lambda _: next(following, FakeStream)

    def open(
        self, stream_id: str, listener: Listener, *, bulk: bool = False, logprobs: bool = False
    ) -> FakeStream:
        self.opened += 1
        self.bulk += bulk
        return self.kind(stream_id)(self, listener, logprobs)
