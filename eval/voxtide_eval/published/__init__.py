"""Error rates that others have published, as data with their sources.

`table3` to `table8` are those of the paper on Voxtral Realtime; `card-…` what its model card has
that differs; `leaderboard-…` the Open ASR Leaderboard. Datasets name the cells that they reproduce
(`datasets.Dataset.published`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

AVERAGE = "AVG"
_NOT_ERRORS = frozenset({AVERAGE, "RTFx"})
_KEYS = 4  # model, way, delay_ms, source; then one column for each thing that was measured


@dataclass(frozen=True)
class Published:
    """A published figure.

    Args:
        table: such as "table7".
        model: as the table calls it.
        delay_ms: of a streaming model; None: it is none, or nobody says.
        column: such as "de" or "LS-C"; "AVG" is the mean that the table gives, "RTFx" seconds of
            audio for each second of computing.
        value: in percent, but for RTFx.
        way: "streaming", "offline" or "api" (a streaming service whose delay is not known).
        source: a key of `sources`.
    """

    table: str
    model: str
    delay_ms: int | None
    column: str
    value: float
    way: str
    source: str


@dataclass(frozen=True)
class Table:
    """What a table is about.

    Args:
        name: such as "table7".
        title: of the table.
        averaged: the columns whose mean is the table's average; empty where it has none. The
            paper's mean over Common Voice leaves Arabic out, and does not say so.
    """

    name: str
    title: str
    averaged: tuple[str, ...]


@cache
def tables() -> tuple[Table, ...]:
    """All tables, the paper's first."""
    return tuple(
        Table(row["table"], row["title"], _averaged(row["table"], row["averages"]))
        for row in _read("tables")
    )


@cache
def sources() -> dict[str, str]:
    """What the sources of figures are, by key."""
    return {row["source"]: row["what"] for row in _read("sources")}


def rows(table: str) -> list[Published]:
    """The figures of a table, line by line; cells that are empty in it are left out.

    Raises:
        ValueError: there is no such table.
    """
    if table not in {row["table"] for row in _read("tables")}:
        raise ValueError(f"there is no table {table!r}")
    return [
        Published(
            table=table,
            model=line["model"],
            delay_ms=int(line["delay_ms"]) if line["delay_ms"] else None,
            column=column,
            value=float(value),
            way=line["way"],
            source=line["source"],
        )
        for line in _read(table)
        for column, value in list(line.items())[_KEYS:]
        if value
    ]


def _averaged(table: str, which: str) -> tuple[str, ...]:
    if not which:
        return ()
    left_out = which.removeprefix("all").removeprefix(" but ").split()
    columns = list(_read(table)[0])[_KEYS:]
    return tuple(name for name in columns if name not in _NOT_ERRORS and name not in left_out)


@cache
def _read(name: str) -> list[dict[str, str]]:
    text = (files(__package__) / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), strict=True))
