"""Where outputs go, which are there already, and how they are written."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ..file_request import Format
from .inputs import Input

SUFFIXES: Mapping[Format, str] = {
    "text": ".txt",
    "json": ".json",
    "verbose_json": ".json",
    "srt": ".srt",
    "vtt": ".vtt",
}


def targets(inputs: Sequence[Input], output: str, suffix: str) -> list[Path]:
    """The file to write for each file to read.

    Raises click.UsageError where two would be the same, or a file is in the way of the folder.
    """
    folder = Path(output)
    if not in_folder(inputs, output):
        return [folder]
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{output} is a file; several outputs need a folder")
    sources: dict[Path, Input] = {}
    for item in inputs:
        target = folder / item.name.with_suffix(suffix)
        if target in sources:
            other = sources[target].path
            raise click.UsageError(f"{other} and {item.path} would both be written to {target}")
        sources[target] = item
    return list(sources)


def in_folder(inputs: Sequence[Input], output: str) -> bool:
    """Whether an output is the folder for files, and not the one file."""
    return len(inputs) > 1 or output.endswith("/") or Path(output).is_dir()


def is_done(source: Path, target: Path) -> bool:
    """Whether an output is there, has something in it and is not older than its input."""
    try:
        written, read = target.stat(), source.stat()
    except OSError:
        return False
    return written.st_size > 0 and written.st_mtime_ns >= read.st_mtime_ns


def write(data: bytes, target: Path) -> None:
    """Write a file as a whole or not at all; its folder is made if need be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
