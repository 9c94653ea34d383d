"""Samples in, windows out: decoding, resampling as a stream, cutting into frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import soxr

from .engine import FRAME_SAMPLES, SAMPLE_RATE, Samples, StreamLayout
from .errors import BadInput

PCM_RATES = (8_000, 16_000, 24_000, 48_000)
"""Sample rates in Hz that a client may send PCM16 at."""


def pcm16(data: bytes, param: str) -> Samples:
    """Decode little-endian 16-bit PCM.

    Args:
        data: an even number of bytes.
        param: the field that `data` came in, for the error.

    Raises:
        BadInput: `invalid_audio` for an odd number of bytes.
    """
    if len(data) % 2:
        raise BadInput("invalid_audio", "PCM16 audio has an odd number of bytes.", param)
    return np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768)


class Resampler:
    """Any of `PCM_RATES` to 16 kHz, piece by piece.

    Args:
        rate: of what is pushed, in Hz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._stream = self._new()

    def _new(self) -> soxr.ResampleStream | None:
        if self._rate == SAMPLE_RATE:
            return None
        return soxr.ResampleStream(self._rate, SAMPLE_RATE, 1, dtype="float32")

    def push(self, samples: Samples) -> Samples:
        """Resample a piece; what comes out lags 12 ms (24, 48 kHz) to 29 ms (8 kHz) behind."""
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples)
        return resampled

    def flush(self) -> Samples:
        """Bring out what lags behind and start anew."""
        if self._stream is None:
            return np.empty(0, np.float32)
        tail: Samples = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        self._stream = self._new()
        return tail


class Framer:
    """Cuts a stream of samples into the windows that the model's layout asks for.

    The first window holds the prompt's frames, each later one a single frame,
    with `look_back` samples before it (none before the stream) and `look_ahead`
    samples after it. Windows are cut as soon as their last sample is there,
    wherever the client's pieces end.
    """

    def __init__(self, layout: StreamLayout) -> None:
        self._layout = layout
        self._buffer: Samples = np.zeros(layout.left_pad * FRAME_SAMPLES, np.float32)
        self._origin = 0  # stream position of the buffer's first sample
        self._end = layout.prompt * FRAME_SAMPLES  # of the next window, without look-ahead

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Add samples and yield the windows that they complete."""
        self._buffer = np.concatenate((self._buffer, samples))
        while self._origin + len(self._buffer) >= self._end + self._layout.look_ahead:
            yield self._cut()

    def finish(self) -> Iterator[Samples]:
        """Add the silence after which the last words come out."""
        return self.push(np.zeros(self._layout.right_pad * FRAME_SAMPLES, np.float32))

    def _cut(self) -> Samples:
        window = self._buffer[: self._end + self._layout.look_ahead - self._origin]
        keep_from = self._end - self._layout.look_back
        self._buffer = self._buffer[keep_from - self._origin :]
        self._origin = keep_from
        self._end += FRAME_SAMPLES
        return window


class Tail:
    """The last samples of a stream, addressed by their position in it.

    Attributes:
        end: position after the last sample.
    """

    def __init__(self) -> None:
        self.end = 0
        self._pieces: deque[Samples] = deque()
        self._start = 0

    def push(self, samples: Samples) -> None:
        """Add samples at the end."""
        self._pieces.append(samples)
        self.end += len(samples)

    def between(self, start: int, end: int) -> Samples:
        """The samples from `start` to `end`, which must still be held."""
        assert self._start <= start <= end <= self.end, "these samples are not held"
        held: Samples = np.concatenate([np.empty(0, np.float32), *self._pieces])
        return held[start - self._start : end - self._start]

    def forget(self, before: int) -> None:
        """Let go of whole pieces that end at or before a position."""
        while self._pieces and self._start + len(self._pieces[0]) <= before:
            self._start += len(self._pieces.popleft())
