"""Read a test set: a folder of FLAC files and a ``manifest.jsonl``."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Example:
    """An utterance of a test set."""

    name: str
    audio: Samples
    words: list[str]
    ends: list[float]
    voice: str


def examples(folder: Path) -> list[Example]:
    """The utterances of a set's manifest."""
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return [
        Example(
            row["audio"],
            soundfile.read(folder / row["audio"], dtype="int16")[0],
            row["text"].split(),
            [word["end"] for word in row["words"]],
            row["voice"],
        )
        for row in rows
    ]
