"""Audio files, as people upload them, to the model's samples.

WAV, FLAC and AIFF are read by libsndfile; everything else, containers with
video among it, by FFmpeg. Memory stays constant: a file of hours is never in
memory as a whole, neither its bytes nor its samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import soundfile
import soxr
from av.audio.frame import AudioFrame
from av.container import InputContainer

from .engine import SAMPLE_RATE, Samples
from .truncation import is_truncated

Chunk = tuple[int, Samples]
"""A sample rate in Hz and mono samples at that rate, shape (n,)."""

BLOCK_SAMPLES = SAMPLE_RATE
"""Samples of a block that `decode` yields: 1 s."""

_LOSSLESS = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"FORM")
_RATES = range(2_000, 768_001)
_UNKNOWN_FRAMES = (1 << 63) - 1
_READ_SAMPLES = 1 << 18
_JUNK_PACKETS = 3
_PACKED = re.compile(rb"dcomzlib.{4}cmvd", re.DOTALL)
_PACKED_BYTES = 16

# FFmpeg also reads formats that are lists of other files or addresses (HLS,
# DASH, concat, SDP). An upload must never make the server open one of those.
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,asf,au,avi,caf,eac3,flac,flv,"
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,mpeg,mpegts,ogg,rm,w64,wav,wv"
)
_OPEN_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}


class AudioFileError(ValueError):
    """A file that cannot be transcribed, and why.

    Args:
        code: `invalid_audio_file`, `empty_audio_file`, `truncated_audio_file`,
            `no_audio_stream` or `audio_too_long`.
        message: one plain sentence for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def decode(source: BinaryIO | str | Path, *, max_seconds: float) -> Iterator[Samples]:
    """Decode an audio file, or the first audio stream of a video, block by block.

    Channels are mixed down by their mean.

    Args:
        source: a path, or a seekable binary file, which is read from its start
            and left open.
        max_seconds: the longest audio that is accepted, in seconds. Checked
            against what the file announces and against what comes out of it,
            so that a small file which unpacks to days of silence is refused.

    Yields:
        Mono float32 samples in [-1, 1] at 16 kHz, shape (16000,); the last
        block may be shorter.

    Raises:
        AudioFileError: at the first block where the file can be told to be
            bad from its headers, later where damage shows only then.
        OSError: the path cannot be opened.
    """
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            yield from decode(file, max_seconds=max_seconds)
        return
    _check_whole(source)
    blocks = _blocks(_resampled(_chunks(source, max_seconds)))
    count = 0
    for block in blocks:
        count += len(block)
        if count > max_seconds * SAMPLE_RATE:
            raise _too_long(max_seconds)
        yield block
    if not count:
        raise AudioFileError("empty_audio_file", "The file holds no audio samples.")


def _check_whole(file: BinaryIO) -> None:
    if file.seek(0, 2) == 0:
        raise AudioFileError("empty_audio_file", "The file is empty.")
    if is_truncated(file):
        raise AudioFileError(
            "truncated_audio_file", "The file ends before the end that it announces."
        )


def _chunks(file: BinaryIO, max_seconds: float) -> Iterator[Chunk]:
    """Mono audio at the file's own rate, from the library that reads its format."""
    file.seek(0)
    with _codec_errors():
        sound = _open_lossless(file) if file.read(4) in _LOSSLESS else None
        if sound is not None:
            with sound:
                yield from _read_lossless(sound, max_seconds)
            return
        _check_not_packed(file)
        file.seek(0)
        with av.open(file, mode="r", options=_OPEN_OPTIONS) as container:
            yield from _read_container(container, max_seconds)


@contextmanager
def _codec_errors() -> Iterator[None]:
    """Turn whatever a codec raises over bad bytes into one clear error."""
    try:
        yield
    except AudioFileError:
        raise
    except (av.FFmpegError, soundfile.SoundFileError, ValueError) as error:
        raise AudioFileError(
            "invalid_audio_file", "The file is damaged, or is no audio that can be read."
        ) from error


class _Source:
    """A file for libsndfile, whose damaged headers can ask for impossible positions.

    An exception inside its callback would be printed instead of raised.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, or stay where that is impossible."""
        with suppress(OSError, ValueError, OverflowError):
            self._file.seek(offset, whence)
        return self._file.tell()


def _open_lossless(file: BinaryIO) -> soundfile.SoundFile | None:
    """Open with libsndfile; None where FFmpeg has to try (codecs seldom seen in a WAV)."""
    file.seek(0)
    try:
        sound = soundfile.SoundFile(_Source(file))
    except soundfile.SoundFileError:
        return None
    # A pipe leaves no length: libsndfile takes the 0 in a WAV at its word, and says that a
    # FLAC is as long as can be.
    if sound.frames in (0, _UNKNOWN_FRAMES):
        sound.close()
        return None
    return sound


def _read_lossless(sound: soundfile.SoundFile, max_seconds: float) -> Iterator[Chunk]:
    rate, announced, done = sound.samplerate, sound.frames, 0
    _check_announced(announced / rate, max_seconds)
    # Headers choose rate and channels: bound their product, not one of them.
    frames = max(1, _READ_SAMPLES // sound.channels)
    try:
        while len(data := sound.read(frames, dtype="float32", always_2d=True)):
            done += len(data)
            yield rate, data.mean(axis=1)
    except soundfile.SoundFileError as error:
        # How libsndfile ends a FLAC that was cut in the middle.
        raise _cut_short(done / rate, announced / rate) from error
    if done < announced:
        raise _cut_short(done / rate, announced / rate)


def _read_container(container: InputContainer, max_seconds: float) -> Iterator[Chunk]:
    if not container.streams.audio:
        raise AudioFileError("no_audio_stream", "The file has no audio stream.")
    _check_announced((container.duration or 0) / av.time_base, max_seconds)
    for frame in _frames(container):
        yield frame.sample_rate, _mono(frame)


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """Frames of the first audio stream.

    Packets that do not decode are passed over before the first sound and, a
    few of them, after the last (tags and padding of careless writers). Between
    sounds they mean that words are lost, which is an error.
    """
    bad, heard = 0, False
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            bad += 1
            continue
        if not frames:
            continue
        if bad and heard:
            raise _damaged()
        bad, heard = 0, True
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            yield frame
    if bad > (_JUNK_PACKETS if heard else 0):
        raise _damaged()


def _mono(frame: AudioFrame) -> Samples:
    """Mean of a frame's channels as float32 in [-1, 1], shape (samples,)."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype.kind in "iu":
        full = 1 << 8 * data.itemsize - 1
        middle = full if data.dtype.kind == "u" else 0
        data = (data.astype(np.float32) - middle) / full
    mixed: Samples = data.mean(axis=0, dtype=np.float32)
    return mixed


def _resampled(chunks: Iterable[Chunk]) -> Iterator[Samples]:
    """The same audio at 16 kHz; a stream whose rate changes begins a new resampler."""
    for rate, group in groupby(chunks, key=itemgetter(0)):
        if rate not in _RATES:
            raise AudioFileError("invalid_audio_file", f"A sample rate of {rate} Hz is not usable.")
        if rate == SAMPLE_RATE:
            yield from (_finite(samples) for _, samples in group)
            continue
        resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        for _, samples in group:
            yield resampler.resample_chunk(_finite(samples))
        yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


def _finite(samples: Samples) -> Samples:
    """Refuse what would poison every later frame of the model."""
    if not np.isfinite(samples).all():
        raise AudioFileError("invalid_audio_file", "The file holds samples that are not numbers.")
    return samples


def _blocks(pieces: Iterable[Samples]) -> Iterator[Samples]:
    """Cut into blocks of one second, clipped to full scale."""
    block, filled = np.empty(BLOCK_SAMPLES, np.float32), 0
    for piece in pieces:
        while len(piece):
            part = piece[: BLOCK_SAMPLES - filled]
            np.clip(part, -1.0, 1.0, out=block[filled : filled + len(part)])
            filled += len(part)
            piece = piece[len(part) :]
            if filled == BLOCK_SAMPLES:
                yield block
                block, filled = np.empty(BLOCK_SAMPLES, np.float32), 0
    if filled:
        yield block[:filled]


def _check_not_packed(file: BinaryIO) -> None:
    """Refuse a QuickTime header that is packed, as some were in the nineties: FFmpeg unpacks
    it at once, to 2 GB if it says so, wherever it stands."""
    file.seek(0)
    last = b""
    while piece := file.read(1 << 20):
        if _PACKED.search(last + piece):
            raise AudioFileError("invalid_audio_file", "Packed headers are not read.")
        last = piece[-_PACKED_BYTES:]


def _check_announced(seconds: float, max_seconds: float) -> None:
    if seconds > max_seconds:
        raise _too_long(max_seconds)


def _too_long(max_seconds: float) -> AudioFileError:
    return AudioFileError("audio_too_long", f"The audio is longer than {max_seconds:g} seconds.")


def _damaged() -> AudioFileError:
    return AudioFileError("invalid_audio_file", "The file is damaged: parts do not decode.")


def _cut_short(seconds: float, announced: float) -> AudioFileError:
    return AudioFileError(
        "truncated_audio_file",
        f"The audio breaks off after {seconds:.1f} of the {announced:.1f} seconds it announces.",
    )
