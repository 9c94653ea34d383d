"""Audio of any form in pieces of 80 ms: files, URLs, raw bytes."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from ..audio import Audio
from . import ffmpeg
from .error import SourceError

PIECE_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of audio and where it ends, in seconds from the start."""

    audio: Audio
    end: float


@dataclass(frozen=True, slots=True)
class Source:
    """Mono audio at `sample_rate` Hz; `pieces` can be iterated over once.

    `level` tells how loud it is right now, in dB below full scale; None where nobody wonders.
    """

    sample_rate: int
    pieces: Iterator[Piece]
    level: Callable[[], float] | None = None


def from_path(path: str | os.PathLike[str]) -> AbstractContextManager[Source]:
    """A file's path, or a URL (`https://…`, `rtmp://…`)."""
    return from_url(str(path)) if "://" in str(path) else from_file(str(path))


@contextmanager
def from_file(path: str) -> Iterator[Source]:
    """An audio file, block by block; channels are averaged.

    It is read by soundfile; where that is not installed, or cannot read it, by ffmpeg.
    """
    file, problem = _sound_file(path)
    if file is not None:
        with file:
            yield Source(file.samplerate, _mono_pieces(file, path))
        return
    if not ffmpeg.installed():
        raise SourceError(f"cannot read {path} as audio: {problem}, and ffmpeg is not installed")
    with from_ffmpeg(path, f"file:{path}") as source:
        yield source


@contextmanager
def from_url(url: str) -> Iterator[Source]:
    """A stream or a file at a URL, by ffmpeg, as it comes."""
    if not ffmpeg.installed():
        raise SourceError(
            f"{url} is read by ffmpeg, which is not installed: see https://ffmpeg.org"
        )
    with from_ffmpeg(url, url) as source:
        yield source


@contextmanager
def from_ffmpeg(name: str, address: str) -> Iterator[Source]:
    """The first audio stream of what ffmpeg finds at `address`; `name` is for messages."""
    with ffmpeg.decoding(name, address) as decoder:
        yield Source(ffmpeg.SAMPLE_RATE, _raw_pieces(decoder, ffmpeg.SAMPLE_RATE))


def from_raw(descriptor: int, sample_rate: int) -> Source:
    """PCM16 little-endian mono from a file descriptor, as it comes.

    It is read without Python's buffer, whose lock a thread that still reads at the end of the
    process would hold.
    """
    size = 2 * samples_of_piece(sample_rate)
    chunks = iter(lambda: os.read(descriptor, size), b"")
    return Source(sample_rate, _raw_pieces(chunks, sample_rate))


def samples_of_piece(sample_rate: int) -> int:
    """Samples in 80 ms, at least one."""
    return max(1, round(sample_rate * PIECE_SECONDS))


def _sound_file(path: str) -> tuple[Any, str]:
    """The file opened by soundfile, or None and why not."""
    try:
        import soundfile  # comes with the extra `audio`; libsndfile may be missing beside it
    except (ImportError, OSError):
        return None, "soundfile is not installed (pip install 'voxtide[audio]')"
    try:
        return soundfile.SoundFile(path), ""
    except (OSError, soundfile.LibsndfileError) as broken:
        return None, str(broken)


def _mono_pieces(file: Any, path: str) -> Iterator[Piece]:
    samples = 0
    try:
        for block in file.blocks(
            samples_of_piece(file.samplerate), dtype="float32", always_2d=True
        ):
            samples += len(block)
            yield Piece(block.mean(axis=1), samples / file.samplerate)
    except RuntimeError as broken:  # soundfile's errors are
        raise SourceError(f"cannot read {path} to its end: {broken}") from broken


def _raw_pieces(chunks: Iterator[bytes], sample_rate: int) -> Iterator[Piece]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        yield Piece(chunk, size / (2 * sample_rate))
