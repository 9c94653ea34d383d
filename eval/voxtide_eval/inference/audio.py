"""The audio of an utterance, as a stream of samples or as a file that can be posted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from voxtide.sources.opened import from_path


@dataclass(frozen=True)
class Opened:
    """Mono audio that can be iterated over once.

    Attributes:
        rate: samples a second.
        pieces: of 80 ms; int16, or floats in -1 to 1.
    """

    rate: int
    pieces: Iterator[NDArray[Any]]


@contextmanager
def opened(audio: Path) -> Iterator[Opened]:
    """Audio, decoded as it is read.

    Raises:
        OSError: it cannot be read.
    """
    with from_path(audio) as source:
        yield Opened(source.sample_rate, (_samples(piece.audio) for piece in source.pieces))


def _samples(piece: Any) -> NDArray[Any]:
    """ffmpeg's are bytes of PCM16."""
    return np.frombuffer(piece, "<i2") if isinstance(piece, bytes) else piece
