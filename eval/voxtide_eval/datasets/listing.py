"""A listing of utterances: JSON lines, or CSV with a line of column names.

`audio` is the path of a file, seen from the listing, and `text` what is said in it (empty:
nothing is). `id` (else `audio`), `speaker` (or `voice`) and `language` may be there, and in JSON
`words`, a list of objects with `word` and `end`, and `start` where it is known, in seconds.
Anything else is passed over.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..manifest import Word
from .error import DatasetError
from .rows import Row, checked

SUFFIXES = frozenset({".jsonl", ".csv"})
_LONGEST_S = 1e6


def read(path: Path) -> Sequence[Row]:
    """The utterances of a listing.

    Raises:
        DatasetError: it cannot be used; the message names line and field.
    """
    lines = _csv(path) if path.suffix == ".csv" else _jsonl(path)
    rows = [row(fields, path.parent, f"{path}, line {number}") for number, fields in lines]
    return checked(rows, str(path))


def _jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as broken:
            raise DatasetError(f"{path}, line {number}: it is no JSON: {broken}") from None
        if not isinstance(fields, dict):
            raise DatasetError(f"{path}, line {number}: it is no JSON object")
        yield number, fields


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(_text(path).splitlines(keepends=True), strict=True)
    for name in ("audio", "text"):
        if name not in (reader.fieldnames or ()):
            raise DatasetError(f"{path}, line 1: there is no column `{name}`")
    try:
        for fields in reader:
            if None in fields or None in fields.values():
                raise DatasetError(
                    f"{path}, line {reader.line_num}: it has not as many fields as line 1"
                )
            yield reader.line_num, fields
    except csv.Error as broken:
        raise DatasetError(
            f"{path}, after line {reader.line_num}: it is no CSV: {broken}"
        ) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as broken:
        raise DatasetError(f"{path}: it is not UTF-8: {broken}") from None


def row(fields: Mapping[str, Any], folder: Path, where: str) -> Row:
    """One line of a listing.

    Args:
        fields: of the line.
        folder: from which `audio` is seen.
        where: the line is, for errors.
    """
    audio = _string(fields, "audio", where)
    if not audio:
        raise DatasetError(f"{where}: `audio` is empty")
    path = folder / audio
    if not path.is_file():
        raise DatasetError(f"{where}: `audio`: there is no file {path}")
    return Row(
        id=_string(fields, "id", where, audio) or audio,
        reference=_string(fields, "text", where),
        path=path,
        speaker=_string(fields, "speaker" if "speaker" in fields else "voice", where, ""),
        language=_string(fields, "language", where, "") or None,
        words=_words(fields.get("words") or (), where),
    )


def _string(fields: Mapping[str, Any], name: str, where: str, absent: str | None = None) -> str:
    value = fields.get(name, absent)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # ids and speakers that are numbers
    if not isinstance(value, str):
        problem = "is missing" if name not in fields else f"is no string: {value!r}"
        raise DatasetError(f"{where}: `{name}` {problem}")
    return value.strip()


def _words(items: Any, where: str) -> tuple[Word, ...]:
    if not isinstance(items, list | tuple):
        raise DatasetError(f"{where}: `words` is no list: {items!r}")
    words: list[Word] = []
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("word"), str):
            raise DatasetError(f"{where}: `words.word` is no string: {item!r}")
        earliest = words[-1].end if words else 0.0
        end = _seconds(item, "end", where)
        start = _seconds(item, "start", where) if "start" in item else earliest
        if end < start:
            raise DatasetError(f"{where}: `words.end` is before the word starts: {item!r}")
        words.append(Word(item["word"], start, end))
    return tuple(words)


def _seconds(item: Mapping[str, Any], name: str, where: str) -> float:
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LONGEST_S:
        raise DatasetError(f"{where}: `words.{name}` is no time in seconds: {value!r}")
    return float(value)
