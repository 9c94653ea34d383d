"""`python -m voxtide_eval datasets`: which there are, and which of them this machine has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from ..datasets import DATASETS, Dataset, definition
from ..inference.measure import why_missing

_COLUMNS = ("name", "language", "split", "metric", "normaliser", "revision", "licence")


@click.command("datasets")
@click.argument("names", metavar="[DATASET]...", nargs=-1)
@click.option("--check", is_flag=True, help="Load the first utterance of each: which are here?")
def command(names: tuple[str, ...], check: bool) -> None:
    """List datasets: all of the table, or those that are named, these with their notes."""
    found = [definition(name) for name in names or DATASETS]
    if check:
        _check(found)
        return
    _print([_COLUMNS, *(tuple(map(_shown, _values(dataset))) for dataset in found)])
    for dataset in found if names else ():
        if dataset.note:
            click.echo(f"{dataset.name}: {dataset.note}")


def _check(datasets: Iterable[Dataset]) -> None:
    for dataset in datasets:
        why = why_missing(dataset)
        click.echo(f"{dataset.name}: here" if why is None else f"{dataset.name}: missing ({why})")


def _values(dataset: Dataset) -> Iterable[object]:
    return (getattr(dataset, name) for name in _COLUMNS)


def _shown(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 40 and text.isalnum() else text  # a commit


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
