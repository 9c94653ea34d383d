"""`python -m voxtide_eval report`."""

from __future__ import annotations

from pathlib import Path

import click

from ..report import contents, html, latex, markdown
from .manifests import FILE, scored

_OUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("report")
@click.argument("runs", type=FILE, nargs=-1, required=True)
@click.option("--html", "page", type=_OUT, help="One page that needs nothing else.")
@click.option("--markdown", "text", type=_OUT, help="The tables as Markdown.")
@click.option("--latex", "paper", type=_OUT, help="The tables as LaTeX (booktabs).")
@click.option("--title", default="Accuracy against delay", show_default=True)
@click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Utterances of each run that are shown word by word.",
)
def command(
    runs: tuple[Path, ...],
    page: Path | None,
    text: Path | None,
    paper: Path | None,
    title: str,
    worst: int,
) -> None:
    """Report on RUNS: tables, plots, and what was heard wrong."""
    if not (page or text or paper):
        raise click.UsageError("say what to write: --html, --markdown or --latex")
    scores = [scored(path) for path in runs]
    made = contents.all_tables(scores)
    if page:
        page.write_text(html.html(title, scores, worst=worst), encoding="utf-8")
    if text:
        text.write_text(markdown.markdown(made), encoding="utf-8")
    if paper:
        paper.write_text(latex.latex(made), encoding="utf-8")
