"""Audio files and trees of them, as datasets come in, for the tests."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    """A sine of half the full scale."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def recording(path: Path, seconds: float = 1.0, rate: int = RATE) -> Path:
    """A file of a tone, in the format that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(seconds, rate), rate)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def jsonl(path: Path, *lines: object) -> Path:
    return write(path, "".join(json.dumps(line) + "\n" for line in lines))


def prompts(share: Path, language: str, voice: str, texts: str) -> Path:
    """A tree as Debian's packages asterisk-core-sounds-… make it; returns the folder of audio."""
    package = f"asterisk-core-sounds-{language}"
    listing = share / "doc" / package / f"core-sounds-{language}.txt.gz"
    listing.parent.mkdir(parents=True)
    listing.write_bytes(gzip.compress(texts.encode()))
    folder = share / "asterisk" / "sounds" / voice
    folder.mkdir(parents=True)
    return folder
