"""Commands' options and tables, in the way that all of them have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True)
class Table:
    """A table, which the terminal and a page can show.

    Attributes:
        title: what it is about.
        headings: of the columns; the first column names the row.
        rows: as many cells each.
        note: what one has to know to read it.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def parsed(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback that parses what is given; click puts the name of the option before an error."""

    def callback(ctx: click.Context, param: click.Parameter, given: Any) -> Any:
        try:
            if isinstance(given, tuple):
                return tuple(parse(one) for one in given)
            return None if given is None else parse(given)
        except ValueError as wrong:
            raise click.BadParameter(str(wrong), ctx, param) from None

    return callback


def show(tables: Iterable[Table], *lines: str) -> None:
    """Print tables, and lines below them."""
    console = Console()
    for table in tables:
        shown = RichTable(
            title=table.title, caption=table.note, title_justify="left", caption_justify="left"
        )
        shown.show_header = any(table.headings)
        for place, heading in enumerate(table.headings):
            shown.add_column(heading, justify="right" if place else "left")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    for line in lines:
        console.print(line)
