"""Cues as text to append to a file that is valid after each one: SubRip and WebVTT.

WebVTT: Web Video Text Tracks Format, W3C.  SubRip has no specification; this is what players and
`pysubs2` read.  It has no way to write `-->` in a text, so an arrow takes its place.
"""

import html
from typing import Protocol

from .cue import Cue


class CaptionWriter(Protocol):
    """Writes one file: first the header, then the text of each cue."""

    header: str

    def text(self, cue: Cue) -> str:
        """The next cue, its blank line included."""
        ...


class SrtWriter:
    """SubRip (.srt)."""

    header = ""

    def __init__(self) -> None:
        self._number = 0

    def text(self, cue: Cue) -> str:
        """The next cue, its blank line included."""
        self._number += 1
        return f"{self._number}\n{_times(cue, ',')}\n{cue.text.replace('-->', '→')}\n\n"


class VttWriter:
    """WebVTT (.vtt)."""

    header = "WEBVTT\n\n"

    def text(self, cue: Cue) -> str:
        """The next cue, its blank line included."""
        return f"{_times(cue, '.')}\n{html.escape(cue.text, quote=False)}\n\n"


def writer_for(suffix: str) -> CaptionWriter:
    """The writer for files that end so: `.srt` or `.vtt`.

    Raises:
        ValueError: For another suffix.
    """
    match suffix.lower():
        case ".srt":
            return SrtWriter()
        case ".vtt":
            return VttWriter()
    raise ValueError(f"captions are written as .srt or .vtt, not {suffix or 'without a suffix'}")


def _times(cue: Cue, mark: str) -> str:
    return f"{_time(cue.start, mark)} --> {_time(cue.end, mark)}"


def _time(seconds: float, mark: str) -> str:
    minutes, ms = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{mark}{ms % 1000:03}"
