"""Audio for the integration tests."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Pcm = NDArray[np.int16]


def pcm16(path: Path, rate: int = 16_000) -> Pcm:
    """A clip as PCM16 at a rate."""
    samples, source = soundfile.read(path, dtype="int16")
    if source != rate:
        samples = soxr.resample(samples, source, rate)
    return np.asarray(samples, np.int16)


def base64_pieces(pcm: Pcm, samples: int = 1_280) -> Iterator[str]:
    """Base64 of pieces of so many samples, as `input_audio_buffer.append` takes it."""
    for start in range(0, len(pcm), samples):
        yield base64.b64encode(pcm[start : start + samples].tobytes()).decode()


def pause(seconds: float) -> Pcm:
    """Digital silence at 16 kHz."""
    return np.zeros(round(seconds * 16_000), np.int16)
