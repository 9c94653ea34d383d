"""Recordings as part of a page: MP3 in a data URI, mono, 16 kHz, about 3 kB a second."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import soundfile
import soxr

LONGEST_S = 60
"""Longer recordings are left out."""
RATE = 16_000
_QUALITY = 0.9  # of libsndfile's compression level, 1 being the smallest
_MIME = "audio/mpeg"


class Room:
    """How much of a page recordings may take.

    Args:
        bytes_left: of their data URIs together.
    """

    def __init__(self, bytes_left: int) -> None:
        self._left = bytes_left

    def embedded(self, path: str) -> tuple[str, str]:
        """A recording as (data URI, why there is none); one of the two is empty."""
        if not path:
            return "", "The manifest names no recording."
        try:
            uri = data_uri(Path(path))
        except (OSError, ValueError, soundfile.LibsndfileError) as error:
            return "", f"No recording: {error}"
        if len(uri) > self._left:
            return "", "The recording is left out: the page would become too large."
        self._left -= len(uri)
        return uri, ""


def data_uri(path: Path) -> str:
    """A recording, made small.

    Raises:
        OSError: it cannot be read.
        ValueError: it is longer than `LONGEST_S`.
        soundfile.LibsndfileError: it is nothing that libsndfile knows.
    """
    with soundfile.SoundFile(path) as file:
        if file.frames > LONGEST_S * file.samplerate:
            raise ValueError(f"it is longer than {LONGEST_S} s")
        samples = file.read(dtype="float32", always_2d=True).mean(axis=1)
        small = soxr.resample(samples, file.samplerate, RATE).astype(np.float32)
    encoded = io.BytesIO()
    soundfile.write(
        encoded, small, RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=_QUALITY
    )
    return f"data:{_MIME};base64,{base64.b64encode(encoded.getvalue()).decode()}"
