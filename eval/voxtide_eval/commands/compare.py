"""`python -m voxtide_eval compare`."""

from __future__ import annotations

from pathlib import Path

import click

from ..report.markdown import markdown
from ..report.tables import comparison
from ..scoring.comparison import NotComparable, compare
from .manifests import FILE, refuse, scored


@click.command("compare")
@click.argument("run", type=FILE)
@click.argument("base", type=FILE)
def command(run: Path, base: Path) -> None:
    """How RUN differs from BASE over the same utterances: by how much, how surely."""
    ours, theirs = scored(run), scored(base)
    try:
        found = compare(ours, theirs)
    except NotComparable as why:
        refuse(str(why))
    click.echo(markdown([comparison(ours, theirs, found)]), nl=False)
