"""Audio that is opened when it is needed and read in pieces of 80 ms, never whole."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from .decoding import Samples, announced_s, decoded
from .error import DatasetError

PIECE_S = 0.08
"""A token of Voxtral Realtime stands for so much audio."""


@dataclass(frozen=True)
class Piece:
    """A piece of audio.

    Args:
        samples: mono, from -1 to 1.
        end: where it ends, in seconds from the start of the audio.
    """

    samples: Samples
    end: float


@dataclass(frozen=True)
class Source:
    """Audio that is open.

    Args:
        rate: in Hz.
        pieces: of 80 ms, the last one may be shorter; they can be iterated over once.
    """

    rate: int
    pieces: Iterator[Piece]


class Audio(Protocol):
    """Audio that nobody has opened yet."""

    @property
    def path(self) -> Path | None:
        """The file that it is; None: it is in memory, or made when it is read."""

    def open(self) -> AbstractContextManager[Source]:
        """Open it, for as long as the body lasts.

        Raises:
            DatasetError: it cannot be read; also while its pieces are.
            OSError: there is no such file.
        """


@dataclass(frozen=True)
class File:
    """A file in any format that libsndfile or FFmpeg reads."""

    path: Path

    @contextmanager
    def open(self) -> Iterator[Source]:
        with decoded(self.path, str(self.path)) as (rate, blocks):
            yield Source(rate, _recut(blocks, rate))


@dataclass(frozen=True, repr=False)
class Bytes:
    """A whole encoded file in memory, as a row of a dataset holds it: still packed.

    Args:
        data: in any format that libsndfile or FFmpeg reads.
        name: what errors call it.
    """

    data: bytes
    name: str

    @property
    def path(self) -> None:
        return None

    @contextmanager
    def open(self) -> Iterator[Source]:
        with decoded(self.data, self.name) as (rate, blocks):
            yield Source(rate, _recut(blocks, rate))


@dataclass(frozen=True)
class Made:
    """Audio that is computed while it is read.

    Args:
        rate: in Hz.
        make: its blocks of samples, from -1 to 1, of any lengths; the same at every call.
    """

    rate: int
    make: Callable[[], Iterator[Samples]]

    @property
    def path(self) -> None:
        return None

    @contextmanager
    def open(self) -> Iterator[Source]:
        yield Source(self.rate, _recut(self.make(), self.rate))


@dataclass(frozen=True)
class Joined:
    """Audio after audio, with silence between.

    Args:
        parts: all of one rate.
        gap_s: silence between two of them, in seconds.
    """

    parts: Sequence[Audio]
    gap_s: float

    @property
    def path(self) -> None:
        return None

    @contextmanager
    def open(self) -> Iterator[Source]:
        with self.parts[0].open() as first:
            rate = first.rate
        yield Source(rate, _recut(self._blocks(rate), rate))

    def _blocks(self, rate: int) -> Iterator[Samples]:
        gap = np.zeros(round(self.gap_s * rate), np.float32)
        for number, part in enumerate(self.parts):
            with part.open() as source:
                if source.rate != rate:
                    raise DatasetError(
                        f"audio of {source.rate} Hz cannot be joined to audio of {rate} Hz"
                    )
                if number:
                    yield gap
                yield from (piece.samples for piece in source.pieces)


@contextmanager
def as_file(audio: Audio) -> Iterator[Path]:
    """A file of it, for what takes files: its own, or a WAV file (PCM16) until the body ends."""
    if audio.path is not None:
        yield audio.path
        return
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        with (
            audio.open() as source,
            soundfile.SoundFile(file, "w", source.rate, 1, "PCM_16", format="WAV") as wav,
        ):
            for piece in source.pieces:
                wav.write(piece.samples)
        yield Path(file.name)


def seconds_of(audio: File | Bytes) -> float:
    """Its length: from the header where that tells, else by reading it through."""
    announced = announced_s(audio.data if isinstance(audio, Bytes) else audio.path)
    if announced is not None:
        return announced
    end = 0.0
    with audio.open() as source:
        for piece in source.pieces:
            end = piece.end
    return end


def _recut(blocks: Iterator[Samples], rate: int) -> Iterator[Piece]:
    """Blocks of any length as pieces of 80 ms; the last one may be shorter."""
    size, done = max(1, round(rate * PIECE_S)), 0
    rest = np.zeros(0, np.float32)
    for block in chain(blocks, [None]):
        rest = rest if block is None else np.concatenate((rest, block))
        whole = len(rest) if block is None else len(rest) - len(rest) % size
        for start in range(0, whole, size):
            piece = rest[start : start + size]
            done += len(piece)
            yield Piece(piece, done / rate)
        rest = rest[whole:]
