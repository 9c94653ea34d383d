"""Where inference and scoring meet: a run as a JSONL file.

The first line is the run (`Run`), each further line one utterance that it heard (`Heard`), in
the order of the dataset. Scoring reads manifests alone: no audio, no server, no dataset.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Word:
    """A word and when it was said.

    Args:
        text: without spaces around it.
        start: in seconds of the audio.
        end: in seconds of the audio.
    """

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Run:
    """What every utterance of a run has in common.

    Args:
        dataset: its name in the table of datasets, or of the folder or listing.
        split: which part of it.
        revision: of the dataset; empty where it has none.
        language: ISO 639-1 code.
        metric: "wer" or "cer".
        normaliser: a name in `normalise.NORMALISERS`.
        way: "realtime" (at the speed of speech), "fast" (the same endpoint, at once) or "file".
        model: as the server calls it.
        delay_ms: of the model; None: the server does not say (offline models have none).
        server: what it says of itself: product, versions.
        settings: what the run was asked for: seed, limit, parallel streams and the like.
        label: what reports call it.
    """

    dataset: str
    split: str
    revision: str
    language: str
    metric: str
    normaliser: str
    way: str
    model: str
    delay_ms: int | None
    server: Mapping[str, str]
    settings: Mapping[str, Any]
    label: str


@dataclass(frozen=True)
class Heard:
    """An utterance, what was said in it and what the server heard.

    Args:
        id: unique in the dataset.
        seconds: of audio.
        reference: what was said, as the dataset has it; empty: nothing (silence, noise).
        hypothesis: the final transcript, as the server gave it.
        words: of the hypothesis, with times; empty where the server gives none.
        reference_words: with times; empty where the dataset has none.
        speaker: empty where the dataset does not say.
        partials: texts of the transcript as they were shown before it was final, each with
            when it came: (seconds since the first sample was spoken, text). Only realtime ways,
            and of the longest utterances none (`inference.live.PARTIALS_UP_TO_S`).
        emitted: when each word of the hypothesis was first shown to its last letter, in seconds
            since the first sample was spoken (a piece of 80 ms is sent when its last sample has
            been); as many as `words`, or as `hypothesis.split()` where the server gives no
            times, or empty. Only realtime ways.
        first_word_s: from the first sample to the first letter.
        final_s: from the end of the audio to the final transcript; of the way "file": from the
            request to the answer.
        error: why there is no transcript; empty: there is one. Scored as if nothing was heard.
        audio: where the audio is, for a report's player: a path, or empty.
    """

    id: str
    seconds: float
    reference: str
    hypothesis: str
    words: tuple[Word, ...] = ()
    reference_words: tuple[Word, ...] = ()
    speaker: str = ""
    partials: tuple[tuple[float, str], ...] = ()
    emitted: tuple[float, ...] = ()
    first_word_s: float | None = None
    final_s: float | None = None
    error: str = ""
    audio: str = ""


@dataclass(frozen=True)
class Manifest:
    """A run that is over."""

    run: Run
    heard: tuple[Heard, ...] = field(default=())


class ManifestError(ValueError):
    """A file is no manifest; the message names the file and the line."""


def write(path: Path, run: Run, heard: Iterable[Heard]) -> None:
    """Write a manifest, replacing what is there only once it is whole."""
    part = path.with_name(path.name + ".new")
    with part.open("w", encoding="utf-8") as file:
        file.write(line(run))
        file.writelines(map(line, heard))
    part.replace(path)


def line(row: Run | Heard) -> str:
    """One line of a manifest, with its end."""
    return json.dumps(asdict(row), ensure_ascii=False) + "\n"


def read(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: the file is none.
        OSError: it cannot be read.
    """
    rows = _rows(path)
    try:
        first = next(rows)
    except StopIteration:
        raise ManifestError(f"{path}: it is empty") from None
    return Manifest(run_of(first, path), tuple(heard_of(row, path, n) for n, row in _from(2, rows)))


def run_of(row: dict[str, Any], path: Path) -> Run:
    """The first line of a manifest."""
    try:
        return Run(**row)
    except TypeError as error:
        raise ManifestError(f"{path}, line 1: it is no run: {error}") from None


def heard_of(row: dict[str, Any], path: Path, number: int) -> Heard:
    """A further line of a manifest."""
    try:
        words = {name: tuple(Word(**w) for w in row[name]) for name in ("words", "reference_words")}
        partials = tuple((float(at), str(text)) for at, text in row["partials"])
        return Heard(**{**row, **words, "partials": partials, "emitted": tuple(row["emitted"])})
    except (TypeError, KeyError, ValueError) as error:
        raise ManifestError(f"{path}, line {number}: it is no utterance: {error}") from None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                row = json.loads(text)
            except ValueError as error:
                raise ManifestError(f"{path}, line {number}: it is no JSON: {error}") from None
            if not isinstance(row, dict):
                raise ManifestError(f"{path}, line {number}: it is no JSON object")
            yield row


def _from(start: int, rows: Iterator[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    return enumerate(rows, start)
