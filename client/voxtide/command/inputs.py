"""Which files the arguments of a command mean: paths, globs, folders."""

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

import click

from ..upload import local_path

_NAMES = """
    3gp aac ac3 aif aiff amr ape au avi caf flac flv m2ts m4a m4b m4v mka mkv mov mp2 mp3 mp4 mpeg
    mpg mpga mts mxf oga ogg ogv opus w64 wav weba webm wma wmv wv
"""
SUFFIXES = frozenset(f".{name}" for name in _NAMES.split())
"""Endings of the names of audio and video files, in small letters."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read.

    Attributes:
        path: Where it is.
        name: What its outputs are named after: the path below the folder that was given, or the
            bare name.
    """

    path: Path
    name: PurePath


def expanded(arguments: Iterable[str]) -> list[Input]:
    """The files that arguments mean, each once, in their order.

    A folder stands for the audio and video in it, at any depth; a pattern such as `'**/*.wav'`,
    which the shell left alone, for the files that match.  Hidden files are left out of both.  A
    path that does not exist is kept: reading it will say so.

    Raises click.BadParameter for a folder or a pattern with nothing in it.
    """
    inputs: dict[Path, Input] = {}
    for argument in arguments:
        for found in _meant(argument):
            inputs.setdefault(found.path.absolute(), found)
    return list(inputs.values())


def is_media(name: str) -> bool:
    """Whether a file's name is that of audio or video."""
    path = PurePath(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _meant(argument: str) -> list[Input]:
    try:
        path = local_path(argument)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from wrong
    if path.is_dir():
        return _some(_in_folder(path), f"{argument} has no audio or video in it")
    if not path.exists() and glob.has_magic(argument):
        return _some(_matching(argument), f"no file matches {argument}")
    return [Input(path, PurePath(path.name))]


def _some(found: Iterator[Input], otherwise: str) -> list[Input]:
    inputs = sorted(found, key=lambda item: item.path)
    if not inputs:
        raise click.BadParameter(otherwise)
    return inputs


def _in_folder(folder: Path) -> Iterator[Input]:
    for path in folder.rglob("*"):
        below = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in below.parts)
        if not hidden and is_media(path.name) and path.is_file():
            yield Input(path, below)


def _matching(pattern: str) -> Iterator[Input]:
    for match in glob.iglob(pattern, recursive=True):
        path = Path(match)
        if path.is_file():
            yield Input(path, PurePath(path.name))
