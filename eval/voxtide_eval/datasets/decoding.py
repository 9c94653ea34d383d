"""Encoded audio to mono samples, block by block.

WAV and FLAC are read by libsndfile, all else by FFmpeg's libraries: libsndfile 1.2 decodes MP3 of
variable bit rate wrongly where FFmpeg does not, and Common Voice is MP3.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from .error import DatasetError

Samples = NDArray[np.float32]
Encoded = Path | bytes
_LOSSLESS = (b"RIFF", b"fLaC")
_BLOCK_S = 0.08


@contextmanager
def decoded(encoded: Encoded, name: str) -> Iterator[tuple[int, Iterator[Samples]]]:
    """The rate in Hz, and blocks of samples from -1 to 1; channels are averaged.

    Args:
        encoded: a file, or its bytes.
        name: what errors call it.

    Raises:
        DatasetError: it cannot be read; also while the blocks are.
        OSError: there is no such file.
    """
    with _problems(name):
        if _is_lossless(encoded):
            with soundfile.SoundFile(_opened(encoded)) as file:
                yield file.samplerate, _lossless_blocks(file)
        else:
            with av.open(_opened(encoded), mode="r") as container:
                if not container.streams.audio:
                    raise DatasetError(f"{name}: there is no audio in it")
                stream = container.streams.audio[0]
                yield stream.rate, _blocks(container, stream)


def announced_s(encoded: Encoded) -> float | None:
    """The length in seconds as the header has it; None: only decoding tells."""
    if not _is_lossless(encoded):
        return None
    try:
        return float(soundfile.info(_opened(encoded)).duration)
    except soundfile.SoundFileError:
        return None


def _is_lossless(encoded: Encoded) -> bool:
    if isinstance(encoded, bytes):
        return encoded.startswith(_LOSSLESS)
    with encoded.open("rb") as file:
        return file.read(4) in _LOSSLESS


def _opened(encoded: Encoded) -> str | io.BytesIO:
    return io.BytesIO(encoded) if isinstance(encoded, bytes) else str(encoded)


@contextmanager
def _problems(name: str) -> Iterator[None]:
    try:
        yield
    except (soundfile.SoundFileError, av.FFmpegError) as problem:
        raise DatasetError(f"{name}: its audio cannot be read: {problem}") from None


def _lossless_blocks(file: soundfile.SoundFile) -> Iterator[Samples]:
    size = max(1, round(file.samplerate * _BLOCK_S))
    for block in file.blocks(size, dtype="float32", always_2d=True):
        yield block.mean(axis=1)


def _blocks(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[Samples]:
    mono = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
    for frame in container.decode(stream):
        for out in mono.resample(frame):
            yield out.to_ndarray()[0]
    for out in mono.resample(None):
        yield out.to_ndarray()[0]
