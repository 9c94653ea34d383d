"""Pick clips that a checkpoint gets exactly right through vLLM, for the tests of this repository.

``python -m nano.fixtures CHECKPOINT TESTSETS FOLDER`` streams candidates of every set through the
stock endpoint, and copies some that come out right, with word times near the truth, into FOLDER
with a manifest. They must also come out right when shifted or at another level, so that a test that
asserts their words does not hang on a hair.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from nano.decoding import Word, decode_all
from nano.evaluate import served, stream_all
from nano.export import loaded_model
from nano.manifest import Example, examples
from nano.model import NanoModel

# Set -> clips to pick.
WANTED: Final = {"sentence": 6, "voice": 3, "engine": 2, "human": 3, "demo": 1}
_CANDIDATES: Final = 20
_SHORTEST_S: Final = 2.0
_LONGEST_S: Final = 8.0
_LARGEST_TIME_ERROR_S: Final = 0.12
_SHIFTS_SAMPLES: Final = (240, 640, 4800)
_DELAY_TOKENS: Final = 6


def _suitable(set_: str, example: Example) -> bool:
    seconds = len(example.audio) / 16000
    return set_ == "demo" or _SHORTEST_S <= seconds <= _LONGEST_S


def _right(example: Example, found: Sequence[Word]) -> bool:
    if [word.word for word in found] != example.words:
        return False
    pairs = zip(example.ends, found, strict=False)
    return all(abs(end - word.end) <= _LARGEST_TIME_ERROR_S for end, word in pairs)


def _steady(model: NanoModel, example: Example) -> bool:
    """Whether the words stay right at other levels and other places on the grid of frames."""
    changed = [np.pad(example.audio, (shift, 0)) for shift in _SHIFTS_SAMPLES]
    changed.append(example.audio // 2)
    heard = decode_all(model, changed, _DELAY_TOKENS)
    return all([word.word for word in words] == example.words for words in heard)


def _diverse(candidates: Sequence[Example], count: int) -> list[Example]:
    """``count`` candidates one by one: of the least used voice the one with most new words."""
    left = list(candidates)
    chosen: list[Example] = []
    while left and len(chosen) < count:
        voices = [one.voice for one in chosen]
        known = {word for one in chosen for word in one.words}
        best = min(left, key=lambda o: (voices.count(o.voice), -len(set(o.words) - known)))
        left.remove(best)
        chosen.append(best)
    return chosen


def pick(checkpoint: Path, testsets: Path, folder: Path) -> None:
    """Write the chosen clips and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    model = loaded_model(checkpoint)
    with (
        tempfile.TemporaryDirectory() as scratch,
        served(checkpoint, 1024, Path(scratch) / "vllm.log") as url,
    ):
        for set_, count in WANTED.items():
            usable = [one for one in examples(testsets / set_) if _suitable(set_, one)]
            usable = _diverse(usable, _CANDIDATES)
            found = asyncio.run(stream_all(url, [one.audio for one in usable]))
            right = [one for one, words in zip(usable, found, strict=True) if _right(one, words)]
            right = [one for one in right if _steady(model, one)]
            lines += [_copied(testsets / set_, one, folder) for one in _diverse(right, count)]
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")


def _copied(source: Path, example: Example, folder: Path) -> str:
    name = example.name if source.name == "demo" else f"{source.name}-{example.name}"
    shutil.copyfile(source / example.name, folder / name)
    for line in (source / "manifest.jsonl").read_text().splitlines():
        row: dict[str, Any] = json.loads(line)
        if row["audio"] == example.name:
            return json.dumps(row | {"audio": name})
    raise KeyError(example.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("testsets", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    pick(arguments.checkpoint, arguments.testsets, arguments.folder)


if __name__ == "__main__":
    main()
