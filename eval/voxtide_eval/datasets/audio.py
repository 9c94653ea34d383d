"""Audio that is opened when it is needed and read in pieces of 80 ms, never whole."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from voxtide.sources.opened import Piece, Source, from_file, samples_of_piece

from .error import DatasetError

Samples = NDArray[np.float32]


class Audio(Protocol):
    """Audio that nobody has opened yet."""

    @property
    def path(self) -> Path | None:
        """The file that it is; None: it is in memory, or made when it is read."""

    def open(self) -> AbstractContextManager[Source]:
        """Its rate in Hz and its pieces of 80 ms, mono, which can be iterated over once.

        Raises:
            voxtide.sources.error.SourceError: it cannot be read.
            DatasetError: likewise, of audio in memory.
        """


@dataclass(frozen=True)
class File:
    """A file that soundfile reads, or ffmpeg where there is one."""

    path: Path

    def open(self) -> AbstractContextManager[Source]:
        return from_file(str(self.path))


@dataclass(frozen=True, repr=False)
class Bytes:
    """A whole encoded file in memory, as a row of a dataset holds it: still packed.

    Args:
        data: WAV, FLAC, OGG or MP3.
        name: what errors call it.
    """

    data: bytes
    name: str

    @property
    def path(self) -> None:
        return None

    @contextmanager
    def open(self) -> Iterator[Source]:
        try:
            with soundfile.SoundFile(io.BytesIO(self.data)) as file:
                yield Source(file.samplerate, _pieces(file))
        except soundfile.SoundFileError as broken:
            raise DatasetError(f"{self.name}: cannot read its audio: {broken}") from None


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
            rate = first.sample_rate
        yield Source(rate, _recut(self._blocks(rate), rate))

    def _blocks(self, rate: int) -> Iterator[Samples]:
        gap = np.zeros(round(self.gap_s * rate), np.float32)
        for number, part in enumerate(self.parts):
            with part.open() as source:
                if source.sample_rate != rate:
                    raise DatasetError(
                        f"audio of {source.sample_rate} Hz cannot be joined to audio of {rate} Hz"
                    )
                if number:
                    yield gap
                yield from (samples(piece.audio) for piece in source.pieces)


@contextmanager
def as_file(audio: Audio) -> Iterator[Path]:
    """A file of it, for what takes files: its own, or a WAV file (PCM16) until the body ends."""
    if audio.path is not None:
        yield audio.path
        return
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        with (
            audio.open() as source,
            soundfile.SoundFile(file, "w", source.sample_rate, 1, "PCM_16", format="WAV") as wav,
        ):
            for piece in source.pieces:
                wav.write(samples(piece.audio))
        yield Path(file.name)


def samples(audio: Any) -> Samples:
    """A piece's samples, from -1 to 1: pieces are arrays, or PCM16 where ffmpeg reads."""
    if isinstance(audio, bytes):
        return np.frombuffer(audio, "<i2").astype(np.float32) / np.float32(32768)
    return np.asarray(audio, np.float32)


def seconds_of(audio: Audio) -> float:
    """Its length: from the header where soundfile reads it, else by reading it through."""
    try:
        if isinstance(audio, Bytes):
            return float(soundfile.info(io.BytesIO(audio.data)).duration)
        if audio.path is not None:
            return float(soundfile.info(str(audio.path)).duration)
    except soundfile.SoundFileError:
        pass
    with audio.open() as source:
        end = 0.0
        for piece in source.pieces:
            end = piece.end
    return end


def _pieces(file: soundfile.SoundFile) -> Iterator[Piece]:
    done = 0
    size = samples_of_piece(file.samplerate)
    for block in file.blocks(size, dtype="float32", always_2d=True):
        done += len(block)
        yield Piece(block.mean(axis=1), done / file.samplerate)


def _recut(blocks: Iterator[Samples], rate: int) -> Iterator[Piece]:
    """Blocks of any length as pieces of 80 ms; the last one may be shorter."""
    size, done = samples_of_piece(rate), 0
    rest = np.zeros(0, np.float32)
    for block in chain(blocks, [None]):
        rest = rest if block is None else np.concatenate((rest, block))
        whole = len(rest) if block is None else len(rest) - len(rest) % size
        for start in range(0, whole, size):
            piece = rest[start : start + size]
            done += len(piece)
            yield Piece(piece, done / rate)
        rest = rest[whole:]
