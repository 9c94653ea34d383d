"""The microphone, by the package sounddevice (PortAudio), which the extra `mic` brings.

All that is used of it: `RawInputStream` with its context, callback and finished_callback,
`query_devices`, `PortAudioError`.  There is no sound card in continuous integration, so
tests/client/test_command_listen.py puts a hand-written module with these names in its place; a
real microphone is tried by hand.
"""

import importlib
import logging
import math
import queue
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .error import SourceError
from .opened import PIECE_SECONDS, Piece, Source, samples_of_piece

_logger = logging.getLogger("voxtide")
SAMPLE_RATE = 16_000
SILENCE_DB = -96.0
# What waits while the server takes nothing; older audio than this is no use to live words.
_WAITING_SECONDS = 60.0


def sounddevice() -> Any:
    """The module.

    Raises:
        SourceError: If it, or the PortAudio library that it needs, is not installed.
    """
    try:
        return importlib.import_module("sounddevice")
    except ImportError:
        hint = "pip install 'voxtide[mic]'"
        raise SourceError(f"the microphone needs the package sounddevice: {hint}") from None
    except OSError as missing:
        hint = "apt install libportaudio2, or the like"
        raise SourceError(f"the microphone needs PortAudio ({missing}): {hint}") from None


@contextmanager
def microphone(device: str | None = None) -> Iterator[Source]:
    """The microphone, or another input, as long as the body lasts (extra `mic`).

        with voxtide.microphone() as source, client.stream(source) as session:
            ...

    Args:
        device: Its number, a part of its name, or None for the system's choice.

    Raises SourceError if there is none, or nothing to record with.
    """
    module = sounddevice()
    recorder = Recorder()
    try:
        with module.RawInputStream(
            samplerate=SAMPLE_RATE,
            blocksize=samples_of_piece(SAMPLE_RATE),
            device=int(device) if device is not None and device.isdecimal() else device,
            channels=1,
            dtype="int16",
            callback=recorder.take,
            finished_callback=recorder.end,
        ):
            yield Source(SAMPLE_RATE, recorder.pieces(), lambda: recorder.level)
    except (module.PortAudioError, ValueError) as refused:
        raise SourceError(
            f"cannot record from {device or 'the microphone'}: {refused}"
        ) from refused
    finally:
        if recorder.lost_seconds:
            text = "%.1f s were not sent: the server took no audio"
            _logger.warning(text, recorder.lost_seconds)


class Recorder:
    """Blocks of PCM16 from the thread of the sound card to the one that feeds the session.

    Attributes:
        level: Of the last block, in dB below full scale (a full sine is -3), -96 at the least.
        lost_seconds: Audio that found no room because the server did not take it.
    """

    def __init__(self) -> None:
        self.level = SILENCE_DB
        self.lost_seconds = 0.0
        room = int(_WAITING_SECONDS / PIECE_SECONDS)
        self._blocks: queue.Queue[bytes] = queue.Queue(room)
        self._ended = False

    def take(self, block: Any, frames: int, time: Any, status: Any) -> None:
        """The callback of the sound card: it must not wait."""
        data = bytes(block)
        self.level = level_db(data)
        try:
            self._blocks.put_nowait(data)
        except queue.Full:
            self.lost_seconds += frames / SAMPLE_RATE

    def end(self) -> None:
        """The recording has ended, because the device is gone or was closed."""
        self._ended = True

    def pieces(self) -> Iterator[Piece]:
        """What was recorded, until the recording ends."""
        size = 0
        while not (self._ended and self._blocks.empty()):
            try:
                block = self._blocks.get(timeout=PIECE_SECONDS)
            except queue.Empty:
                continue
            size += len(block)
            yield Piece(block, size / (2 * SAMPLE_RATE))


def level_db(pcm: bytes) -> float:
    """Root mean square of little-endian PCM16, in dB below full scale, -96 at the least."""
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    square = sum(sample * sample for sample in samples) / max(1, len(samples))
    return max(SILENCE_DB, 10 * math.log10(max(square, 1e-9) / 32768**2))
