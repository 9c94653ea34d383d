"""Where `voxtide stream` and `voxtide demo` take their audio from, in pieces of 80 ms."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import soundfile

from ..audio import Audio
from .exits import Failure

PIECE_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of audio and where it ends, in seconds from the start."""

    audio: Audio
    end: float


@dataclass(frozen=True, slots=True)
class Source:
    """Mono audio at `sample_rate` Hz; `pieces` can be iterated over once."""

    sample_rate: int
    pieces: Iterator[Piece]


@contextmanager
def from_file(path: str) -> Iterator[Source]:
    """An audio file that libsndfile can read, block by block; channels are averaged."""
    try:
        file = soundfile.SoundFile(path)
    except (OSError, soundfile.LibsndfileError) as broken:
        raise Failure(f"cannot read {path} as audio: {broken}") from broken
    with file:
        yield Source(file.samplerate, _mono_pieces(file, path))


def from_raw(descriptor: int, sample_rate: int) -> Source:
    """PCM16 little-endian mono from a file descriptor, as it comes.

    It is read without Python's buffer, whose lock a thread that still reads at the end of the
    process would hold.
    """
    size = 2 * _samples(sample_rate)
    chunks = iter(lambda: os.read(descriptor, size), b"")
    return Source(sample_rate, _raw_pieces(chunks, sample_rate))


def _samples(sample_rate: int) -> int:
    return max(1, round(sample_rate * PIECE_SECONDS))


def _mono_pieces(file: soundfile.SoundFile, path: str) -> Iterator[Piece]:
    samples = 0
    try:
        for block in file.blocks(_samples(file.samplerate), dtype="float32", always_2d=True):
            samples += len(block)
            yield Piece(block.mean(axis=1), samples / file.samplerate)
    except soundfile.LibsndfileError as broken:
        raise Failure(f"cannot read {path} to its end: {broken}") from broken


def _raw_pieces(chunks: Iterator[bytes], sample_rate: int) -> Iterator[Piece]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        yield Piece(chunk, size / (2 * sample_rate))
