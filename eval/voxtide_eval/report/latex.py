r"""Tables as LaTeX, to be put in with `\input`; they need the package booktabs."""

from __future__ import annotations

from collections.abc import Iterable

from .tables import Table

_SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
_AS_TEXT = str.maketrans(_SIGNS)


def latex(tables: Iterable[Table]) -> str:
    """All tables, each a float of its own."""
    return "\n".join(_table(table) for table in tables)


def escaped(text: str) -> str:
    """Text that means nothing to LaTeX."""
    return " ".join(text.split()).translate(_AS_TEXT)


def _table(table: Table) -> str:
    columns = "l" + "r" * (len(table.headings) - 1)
    rows = "\n".join(_row(row) for row in table.rows)
    note = f"\n\\par\\smallskip{{\\footnotesize {escaped(table.note)}}}" if table.note else ""
    return (
        f"\\begin{{table}}\n\\centering\n\\caption{{{escaped(table.title)}}}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{_row(table.headings)}\n\\midrule\n{rows}\n"
        f"\\bottomrule\n\\end{{tabular}}{note}\n\\end{{table}}\n"
    )


def _row(cells: Iterable[str]) -> str:
    return " & ".join(escaped(cell) for cell in cells) + r" \\"
