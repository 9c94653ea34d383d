"""Manifests as arguments of commands."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from ..manifest import ManifestError, read
from ..scoring import Score, score
from ..scoring.score import ScoreError

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Refused(click.ClickException):
    """What was asked for cannot be done with these files; exit status 2."""

    exit_code = 2


def scored(path: Path) -> Score:
    """The score of the run in a file.

    Raises:
        Refused: it is no manifest, or cannot be scored.
    """
    try:
        return score(read(path))
    except ScoreError as error:
        refuse(f"{path}: {error}")
    except (ManifestError, OSError) as error:
        refuse(str(error))


def refuse(message: str) -> NoReturn:
    """End the command with one sentence."""
    raise Refused(message) from None
