"""What is said: recordings with their words, cut into frames once for all streams of a process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from .words import tokens

FRAME_S = 0.08
"""One token of Voxtral Realtime stands for so much audio."""
_AUDIO = frozenset({".flac", ".mp3", ".ogg", ".wav"})
_QUIET = 0.02
"""Speech begins where the signal first exceeds this share of its peak, if nobody says where."""


class BadCorpus(ValueError):
    """A manifest or a recording that cannot be used; the message names file, line and field."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A recording.

    Attributes:
        id: its name in the corpus.
        path: any file that libsndfile reads; channels are averaged.
        words: what is said, without case and punctuation; None if nobody knows.
        ends: where each word ends, in seconds; None if nobody knows.
        language: such as "en".
        begins: where speech begins, in seconds.
    """

    id: str
    path: Path
    words: tuple[str, ...] | None = None
    ends: tuple[float, ...] | None = None
    language: str | None = None
    begins: float = 0.0
    _frames: dict[int, list[bytes]] = field(default_factory=dict, repr=False)

    def frames(self, rate: int) -> list[bytes]:
        """Its audio, PCM16 at `rate` Hz, in pieces of 80 ms; the last one ends in silence."""
        if rate not in self._frames:
            samples = _samples(self.path, rate)
            size = round(rate * FRAME_S)
            padded = np.pad(samples, (0, -len(samples) % size))
            self._frames[rate] = [piece.tobytes() for piece in padded.reshape(-1, size)]
        return self._frames[rate]


def load(source: str) -> list[Clip]:
    """The clips of a corpus.

    Args:
        source: a manifest (JSON lines, or its folder if it is called manifest.jsonl), or a folder
            of recordings, each with its words beside it in a file of the same name that ends in
            .txt; "" for the recording that comes with voxtide, which nano hears without an error.

    A line of a manifest is an object: `audio` (path, seen from the manifest), and where they are
    known `text`, `words` (`[{"word", "end"}]`, seconds), `speech_start` (seconds), `language`.

    Raises:
        BadCorpus: there is nothing there, or something that cannot be used.
    """
    if not source:
        return [_bundled()]
    path = Path(source)
    manifest = path / "manifest.jsonl" if path.is_dir() else path
    if manifest.is_file():
        clips = list(_from_manifest(manifest))
    elif path.is_dir():
        clips = [_beside_text(one) for one in sorted(path.rglob("*")) if one.suffix in _AUDIO]
    else:
        raise BadCorpus(f"{source}: no such file or folder")
    if not clips:
        raise BadCorpus(f"{source}: no recordings")
    return clips


def _bundled() -> Clip:
    folder = Path(str(files("voxtide") / "demo"))
    row = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
    return _clip(folder, row | {"audio": "recording.flac"}, "recording.json")


def _from_manifest(manifest: Path) -> Iterator[Clip]:
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{manifest}:{number}"
        try:
            row = json.loads(line)
        except ValueError as broken:
            raise BadCorpus(f"{where}: no JSON: {broken}") from None
        if not isinstance(row, dict) or not isinstance(row.get("audio"), str):
            raise BadCorpus(f"{where}: `audio` is not the path of a recording")
        yield _clip(manifest.parent, row, where)


def _beside_text(path: Path) -> Clip:
    text = path.with_suffix(".txt")
    row: dict[str, Any] = {"audio": path.name}
    if text.is_file():
        row["text"] = text.read_text(encoding="utf-8")
    return _clip(path.parent, row, str(path))


def _clip(folder: Path, row: Mapping[str, Any], where: str) -> Clip:
    path = folder / row["audio"]
    if not path.is_file():
        raise BadCorpus(f"{where}: `audio`: there is no {path}")
    language = row.get("language")
    words, ends = _words(row, language, where)
    begins = row.get("speech_start")
    return Clip(
        id=str(row["audio"]),
        path=path,
        words=words,
        ends=ends,
        language=language,
        begins=_onset(path) if begins is None else _seconds(begins, "speech_start", where),
    )


def _words(
    row: Mapping[str, Any], language: str | None, where: str
) -> tuple[tuple[str, ...] | None, tuple[float, ...] | None]:
    """What is said, and where each word of it ends."""
    text = None if row.get("text") is None else tuple(tokens(str(row["text"]), language))
    if not row.get("words"):
        return text, None
    said = [
        (token, _seconds(item["end"], "words.end", where))
        for item in row["words"]
        for token in tokens(str(item["word"]), language)
    ]
    words, ends = tuple(word for word, _ in said), tuple(end for _, end in said)
    if text is not None and text != words:
        raise BadCorpus(f"{where}: `words` are not those of `text`")
    if list(ends) != sorted(ends):
        raise BadCorpus(f"{where}: `words` do not end one after the other")
    return words, ends


def _seconds(value: object, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise BadCorpus(f"{where}: `{name}` is not a time in seconds: {value!r}")
    return float(value)


def _samples(path: Path, rate: int) -> NDArray[np.int16]:
    try:
        samples, source_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as broken:
        raise BadCorpus(f"{path}: {broken}") from None
    mono = soxr.resample(samples.mean(axis=1), source_rate, rate)
    scaled: NDArray[np.int16] = np.clip(np.rint(mono * 32768), -32768, 32767).astype("<i2")
    return scaled


def _onset(path: Path) -> float:
    """Where the signal first exceeds a small share of its peak, in seconds; 0 in silence."""
    rate = 16_000
    loud = np.abs(_samples(path, rate).astype(np.int32))
    return int(np.argmax(loud > _QUIET * loud.max())) / rate


def audio_seconds(clips: Sequence[Clip], rate: int) -> float:
    """Length of all clips together, in seconds."""
    return sum(len(clip.frames(rate)) for clip in clips) * FRAME_S
