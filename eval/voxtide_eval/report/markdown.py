"""Tables as Markdown (GitHub's)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .tables import Table

_SIGNS = re.compile(r"([\\`*_{}\[\]()#+!|~-])")
_NAMES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def markdown(tables: Iterable[Table]) -> str:
    """All tables, each under a heading."""
    return "\n".join(_table(table) for table in tables)


def escaped(text: str) -> str:
    """Text that means nothing to Markdown or HTML."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split())).translate(_NAMES)


def _table(table: Table) -> str:
    rule = ["---", *["---:"] * (len(table.headings) - 1)]
    lines = [_line(map(escaped, table.headings)), _line(rule)]
    lines += [_line(map(_cell, row)) for row in table.rows]
    after = f"\n{escaped(table.note)}\n" if table.note else ""
    return f"### {escaped(table.title)}\n\n" + "\n".join(lines) + f"\n{after}"


def _cell(text: str) -> str:
    """Figures stay as they are: a sign or a range of theirs means nothing in a cell."""
    return text if re.fullmatch(r"[-+\d.,%– to]+", text) else escaped(text)


def _line(cells: Iterable[str] | Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
