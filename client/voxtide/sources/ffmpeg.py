"""Decoding by the program `ffmpeg`, which must be on the PATH: files of any kind and URLs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .error import SourceError

SAMPLE_RATE = 16_000
_CHUNK_BYTES = 2_560  # 80 ms
_LAST_BYTES = 4_096


def installed() -> bool:
    """Whether there is an ffmpeg."""
    return shutil.which("ffmpeg") is not None


@contextmanager
def decoding(name: str, address: str) -> Iterator[Iterator[bytes]]:
    """PCM16 at 16 kHz, mono, of the first audio stream; ffmpeg ends with the body at the latest.

    Args:
        name: What to call it in an error.
        address: A URL as ffmpeg has them; that of a file begins with `file:`.

    The iteration raises SourceError with ffmpeg's own words if ffmpeg cannot go on.
    """
    arguments = ["-nostdin", "-hide_banner", "-loglevel", "error", "-i", address]
    arguments += ["-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "pipe:1"]
    with tempfile.TemporaryFile() as log:
        # A session of its own: Ctrl-C is for voxtide, which then ends it without its complaints.
        process = subprocess.Popen(
            ["ffmpeg", *arguments], stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        try:
            yield _chunks(process, name, log)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _chunks(process: subprocess.Popen[bytes], name: str, log: IO[bytes]) -> Iterator[bytes]:
    assert process.stdout is not None
    # As it comes, however little that is, and without Python's buffer and its lock.
    while chunk := os.read(process.stdout.fileno(), _CHUNK_BYTES):
        yield chunk
    if process.wait() != 0:
        raise SourceError(f"cannot read {name} as audio: {_last_line(log)}")


def _last_line(log: IO[bytes]) -> str:
    log.seek(0, os.SEEK_END)
    log.seek(max(0, log.tell() - _LAST_BYTES))
    lines = log.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "ffmpeg failed")
