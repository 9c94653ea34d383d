"""What voxtide needs of a speech engine.

An engine turns a stream of audio windows into one token for each 80 ms frame.
`vllm_engine` is the implementation that serves; tests bring their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import VoxtideError

Samples = NDArray[np.float32]
"""Mono audio at 16 kHz, shape (n,), in [-1, 1]."""

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 1_280
"""Samples of a frame: 80 ms, one token."""
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class StreamLayout:
    """How the model lays out a stream; all counts in frames unless named otherwise.

    Token 0 comes when the prompt's frames are there: `left_pad` frames of
    silence, then `delay + 1` frames of audio. From then on each frame brings
    one token, and token n tells of audio frame n. (mistral-common,
    tokens/tokenizers/audio.py.)

    Attributes:
        delay: frames between audio and text, 80 ms each.
        left_pad: frames of silence before the audio.
        right_pad: frames of silence after the audio, so that its last words come out.
        look_ahead: samples that a frame's window reaches beyond the frame.
        look_back: samples that a frame's window reaches before the frame.
        max_tokens: the longest stream that the engine takes, padding included.
        renew_after: age of a stream from which the engine would rather have a new one.
    """

    delay: int
    left_pad: int
    right_pad: int
    look_ahead: int
    look_back: int
    max_tokens: int
    renew_after: int

    @property
    def prompt(self) -> int:
        """Frames that the first token needs."""
        return 1 + self.left_pad + self.delay

    @property
    def oldest(self) -> int:
        """Frames of a stream that somebody has spoken into without a pause (session.py)."""
        return min(self.left_pad + 3 * self.renew_after + self.right_pad, self.max_tokens)

    @property
    def delay_ms(self) -> int:
        """Delay between audio and text in milliseconds."""
        return self.delay * 80


class Vocabulary(Protocol):
    """What the transcript needs to know of the model's tokens."""

    blank: int
    """Nothing was said in this frame."""
    word: int
    """A word, or several, ended in this frame; their text follows."""

    def piece(self, token: int) -> bytes:
        """UTF-8 bytes of a token; empty for a control token. May end inside a character."""
        ...


class Listener(Protocol):
    """Whom a stream tells; never called from within `open`, `feed` or `close`."""

    def token(self, token: int, logprob: float | None = None) -> None:
        """The next token id, one for each window, in order.

        Args:
            logprob: natural logarithm of its probability, where the stream was opened so.
        """
        ...

    def lost(self, error: VoxtideError) -> None:
        """The engine has lost the stream: nothing more comes of it."""
        ...


class EngineStream(Protocol):
    """One stream of audio inside the engine."""

    def feed(self, window: Samples) -> None:
        """Queue the next window, cut as `audio.Framer` cuts it. Never blocks."""
        ...

    def close(self) -> None:
        """Give the stream's place in the engine back; its listener hears no more."""
        ...


class Engine(Protocol):
    """A running engine with one model."""

    @property
    def models(self) -> tuple[str, ...]:
        """The names under which the model is served; the first is the one to show."""
        ...

    @property
    def layout(self) -> StreamLayout:
        """How the model lays out a stream."""
        ...

    @property
    def vocabulary(self) -> Vocabulary:
        """The model's tokens."""
        ...

    @property
    def places(self) -> int:
        """Streams that can be in the engine at once, as far as this process may count on it."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def open(
        self, stream_id: str, listener: Listener, *, bulk: bool = False, logprobs: bool = False
    ) -> EngineStream:
        """Open a stream.

        Args:
            stream_id: unique in this process.
            listener: is told of its tokens and its end.
            bulk: of a file: live streams come first.
            logprobs: whether those of its tokens are wanted.
        """
        ...
