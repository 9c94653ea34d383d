"""A caption file that grows while people speak."""

from pathlib import Path
from typing import Self

from ..captions import Cue, LiveCaptions, writer_for
from ..events import Event
from .exits import Failure


class CaptionFile:
    """Writes each cue as soon as it is out, at one go: whoever reads the file finds it valid.

    Args:
        path: Where to; its suffix, .srt or .vtt, says the format.  A file that is there is
            replaced.

    Raises:
        Failure: If it cannot be written, now or later, or the server tells no times.
        ValueError: For another suffix.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = writer_for(path.suffix)
        self._captions = LiveCaptions()
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as unwritable:
            raise self._failure(unwritable) from unwritable
        self._write(self._writer.header)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._write_cues(self._captions.finish())

    def take(self, event: Event) -> None:
        """Write the cues that an event brings."""
        try:
            cues = self._captions.take(event)
        except ValueError as no_times:
            raise Failure(f"no captions: {no_times}") from no_times
        self._write_cues(cues)

    def _write_cues(self, cues: list[Cue]) -> None:
        for cue in cues:
            self._write(self._writer.text(cue))

    def _write(self, text: str) -> None:
        try:
            self._file.write(text.encode("utf-8", "replace"))
        except OSError as unwritable:
            raise self._failure(unwritable) from unwritable

    def _failure(self, unwritable: OSError) -> Failure:
        return Failure(f"cannot write {self._path}: {unwritable.strerror}")
