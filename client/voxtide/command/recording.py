"""The recording that comes with the package."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Self

from ..sources import opened
from ..sources.opened import Source

_FOLDER = files("voxtide") / "demo"


@dataclass(frozen=True, slots=True)
class Recording:
    """What is said in the recording, and when.

    Attributes:
        text: The words, separated by spaces.
        word_ends: Where each word of `text` ends, in seconds.
        speech_start: Where the first word starts, in seconds.
        voice: Whose voice it is.
    """

    text: str
    word_ends: tuple[float, ...]
    speech_start: float
    voice: str

    @classmethod
    def bundled(cls) -> Self:
        """The description of the bundled recording."""
        data = json.loads((_FOLDER / "recording.json").read_text(encoding="utf-8"))
        return cls(
            text=data["text"],
            word_ends=tuple(float(word["end"]) for word in data["words"]),
            speech_start=float(data["speech_start"]),
            voice=data["voice"],
        )


@contextmanager
def bundled_audio() -> Iterator[Source]:
    """The audio of the bundled recording."""
    with as_file(_FOLDER / "recording.flac") as path, opened.from_file(str(path)) as source:
        yield source
