"""Folders as corpora come in: LibriSpeech, FLEURS, Common Voice, or audio with texts beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import listing
from .error import DatasetError, MissingError
from .rows import AUDIO_SUFFIXES, Row, checked


def read(path: Path, split: str) -> Sequence[Row]:
    """The utterances of a listing or a folder on this machine.

    Args:
        path: a listing (`listing`), or a folder: with a `manifest.jsonl`; in the layout of
            LibriSpeech (`*.trans.txt` beside the audio), of FLEURS (`test.tsv` and
            `audio/test/`) or of Common Voice (`test.tsv` and `clips/`); or with a `.txt` of the
            same name beside each audio file.
        split: such as "test". Of a folder that has one of that name inside, that one is read.

    Raises:
        MissingError: there is nothing at that path.
        DatasetError: it cannot be used; the message names file, and line and field if there are.
    """
    if path.is_file():
        return listing.read(path)
    if not path.is_dir():
        raise MissingError(f"{path}: there is no such file or folder")
    if (path / split).is_dir():
        path = path / split
    if (path / "manifest.jsonl").is_file():
        return listing.read(path / "manifest.jsonl")
    table = path / f"{split}.tsv"
    if table.is_file():
        found = _common_voice(table) if (path / "clips").is_dir() else _fleurs(table, split)
    else:
        found = _librispeech(path) or _beside(path)
    return checked(found, str(path))


def _librispeech(folder: Path) -> list[Row]:
    """SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt: a line has an id and, after a space, the text."""
    rows = []
    for texts in sorted(folder.rglob("*.trans.txt")):
        for number, line in _lines(texts):
            id, _, text = line.partition(" ")
            audio = texts.parent / f"{id}.flac"
            if not audio.is_file():
                raise DatasetError(f"{texts}, line {number}: there is no file {audio}")
            rows.append(Row(id, text.strip(), audio, speaker=id.split("-")[0]))
    return rows


def _fleurs(table: Path, split: str) -> list[Row]:
    """Columns without names: sentence, file, text with case and punctuation, text without, …"""
    rows = []
    for number, line in _lines(table):
        fields = line.split("\t")
        if len(fields) < 4:
            raise DatasetError(f"{table}, line {number}: it has not the columns of FLEURS")
        audio = table.parent / "audio" / split / fields[1]
        if not audio.is_file():
            raise DatasetError(f"{table}, line {number}: `file_name`: there is no file {audio}")
        rows.append(Row(audio.stem, fields[2].strip(), audio))
    return rows


def _common_voice(table: Path) -> list[Row]:
    """Named columns, among them `path`, `sentence` and `client_id`."""
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    for name in ("path", "sentence"):
        if name not in (reader.fieldnames or ()):
            raise DatasetError(f"{table}, line 1: there is no column `{name}`")
    rows = []
    for fields in reader:
        audio = table.parent / "clips" / fields["path"]
        if not audio.is_file():
            raise DatasetError(f"{table}, line {reader.line_num}: `path`: there is no file {audio}")
        rows.append(Row(audio.stem, fields["sentence"], audio, fields.get("client_id") or ""))
    return rows


def _beside(folder: Path) -> list[Row]:
    rows = []
    for audio in sorted(path for path in folder.rglob("*") if path.suffix in AUDIO_SUFFIXES):
        text = audio.with_suffix(".txt")
        if not text.is_file():
            raise DatasetError(f"{audio}: there is no {text.name} beside it that says its words")
        id = audio.relative_to(folder).with_suffix("").as_posix()
        rows.append(Row(id, text.read_text(encoding="utf-8").strip(), audio))
    return rows


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            yield number, line
