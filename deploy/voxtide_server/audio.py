"""Samples in, windows out: decoding, resampling as a stream, cutting into frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import soxr

from .engine import FRAME_SAMPLES, SAMPLE_RATE, Samples, StreamLayout
from .errors import BadInput

RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Sample rates in Hz that a client may send."""


def _mu_law() -> Samples:
    """Value of each byte, by ITU-T G.711: sign, three bits of exponent, four of mantissa."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = ((2 * mantissa + 33) << exponent + 2) - 132
    return (np.where(code & 128, -magnitude, magnitude) / 32768).astype(np.float32)


def _a_law() -> Samples:
    """As `_mu_law`, with even bits inverted and a linear part at the bottom."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    hidden = np.where(exponent > 0, 33, 1)
    magnitude = (2 * mantissa + hidden) << np.maximum(exponent, 1) + 2
    return (np.where(code & 128, magnitude, -magnitude) / 32768).astype(np.float32)


_LAWS = {"pcm_mulaw": _mu_law(), "pcm_alaw": _a_law()}
_INTEGERS = {"pcm_s16le": ("<i2", 1 / 32768), "pcm_s32le": ("<i4", 1 / 2147483648)}
G711_RATE = 8_000
"""Samples a second of the two laws, by the standard."""
_FLOATS = {"pcm_f16le": "<f2", "pcm_f32le": "<f4"}
ENCODINGS = (*_INTEGERS, *_FLOATS, *_LAWS)
"""How samples may be written, by Mistral's names."""


def decode(data: bytes, encoding: str, param: str) -> Samples:
    """Decode samples.

    Args:
        data: a whole number of them.
        encoding: one of `ENCODINGS`.
        param: the field that `data` came in, for the error.

    Returns:
        Samples in [-1, 1]; floats beyond are cut to that.

    Raises:
        BadInput: `invalid_audio` for half a sample, or a float that is no number.
    """
    if encoding in _LAWS:
        return _LAWS[encoding][np.frombuffer(data, np.uint8)]
    kind, scale = _INTEGERS.get(encoding) or (_FLOATS[encoding], 1.0)
    if len(data) % np.dtype(kind).itemsize:
        raise BadInput("invalid_audio", "The audio ends in the middle of a sample.", param)
    samples = np.frombuffer(data, kind).astype(np.float32) * np.float32(scale)
    if encoding in _FLOATS:
        if not np.isfinite(samples).all():
            raise BadInput("invalid_audio", "The audio holds samples that are no numbers.", param)
        samples = samples.clip(-1.0, 1.0)
    return samples


class Resampler:
    """Any of `RATES` to 16 kHz, piece by piece.

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

    def finish(self, silent: int = 0) -> Iterator[Samples]:
        """Add the silence after which the last words come out.

        Args:
            silent: frames of it that are there already; those that the model's delay
                needs are added whatever is.
        """
        frames = max(self._layout.delay + 1, self._layout.right_pad - silent)
        return self.push(np.zeros(frames * FRAME_SAMPLES, np.float32))

    def _cut(self) -> Samples:
        window = self._buffer[: self._end + self._layout.look_ahead - self._origin]
        keep_from = self._end - self._layout.look_back
        self._buffer = self._buffer[keep_from - self._origin :]
        self._origin = keep_from
        self._end += FRAME_SAMPLES
        return window


class Tail:
    """The last samples of a stream, addressed by their position in it.

    Args:
        start: position of the first one.

    Attributes:
        end: position after the last sample.
    """

    def __init__(self, start: int = 0) -> None:
        self.end = start
        self._pieces: deque[Samples] = deque()
        self._start = start

    def push(self, samples: Samples) -> None:
        """Add samples at the end."""
        self._pieces.append(samples)
        self.end += len(samples)

    def between(self, start: int, end: int, silent: int = 0) -> Samples:
        """The samples from `start` to `end`, which must still be held, after `silent` zeros."""
        assert self._start <= start <= end <= self.end, "these samples are not held"
        held: Samples = np.concatenate([np.empty(0, np.float32), *self._pieces])
        return np.pad(held[start - self._start : end - self._start], (silent, 0))

    def forget(self, before: int) -> None:
        """Let go of whole pieces that end at or before a position."""
        while self._pieces and self._start + len(self._pieces[0]) <= before:
            self._start += len(self._pieces.popleft())
