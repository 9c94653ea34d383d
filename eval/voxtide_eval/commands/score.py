"""`python -m voxtide_eval score`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..report.markdown import markdown
from ..report.tables import of_runs
from ..scoring.score import as_dict
from .manifests import FILE, scored


@click.command("score")
@click.argument("runs", type=FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON, one line a run.")
def command(runs: tuple[Path, ...], as_json: bool) -> None:
    """Score RUNS from their manifests."""
    scores = [scored(path) for path in runs]
    if as_json:
        for one in scores:
            click.echo(json.dumps(as_dict(one), ensure_ascii=False))
    else:
        click.echo(markdown(of_runs(scores)), nl=False)
