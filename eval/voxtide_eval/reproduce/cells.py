"""Which figures stand beside which published ones.

All figures are error rates in percent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..datasets import DATASETS, Dataset, definition
from ..published import AVERAGE, rows, tables

MODEL = "Voxtral Realtime"
PAPER = ("table3", "table5", "table6", "table7", "table8")
LEADERBOARD = ("leaderboard-en", "leaderboard-ml")
_GROUPS = {"En-Short": "table5", "En-Long": "table6", "FLEURS": "table7", "MCV": "table8"}
"""What the columns of the paper's table 3 are averages of."""


@dataclass(frozen=True)
class Figure:
    """A figure of ours.

    Attributes:
        value: the error rate.
        low: lower end of its 95 % interval; None of averages.
        high: upper end.
        failed: utterances without a transcript.
    """

    value: float
    low: float | None = None
    high: float | None = None
    failed: int = 0


@dataclass(frozen=True)
class Cell:
    """A figure beside the published one.

    Attributes:
        column: of the table.
        published: what was published; None: nothing for this delay.
        ours: what was measured; None: it is missing.
        why: it is missing.
    """

    column: str
    published: float | None
    ours: Figure | None
    why: str = ""


def needed(names: Iterable[str]) -> list[Dataset]:
    """The datasets whose figures the tables are made of, each once."""
    wanted = set(names) | (set(_GROUPS.values()) if "table3" in names else set())
    return [
        definition(name)
        for name, dataset in DATASETS.items()
        if any(table in wanted for table, _ in dataset.published)
    ]


def cells(
    table: str,
    delay_ms: int | None,
    figures: Mapping[str, Figure],
    missing: Mapping[str, str],
) -> list[Cell]:
    """A line of a table.

    Args:
        table: its name.
        delay_ms: of the line; None: the table has one line for the model.
        figures: what was measured, by the dataset's name.
        missing: why the others were not.
    """
    published = {
        row.column: row.value
        for row in rows(table)
        if row.model == MODEL and row.delay_ms == delay_ms and row.column != "RTFx"
    }
    made = {} if table == "table3" else _measured(table, figures, missing)
    for column in _columns(table):
        if column in _GROUPS or column == AVERAGE:
            made[column] = _average(_GROUPS.get(column, table), figures, missing)
    return [Cell(column, published.get(column), *made[column]) for column in _columns(table)]


def _measured(
    table: str, figures: Mapping[str, Figure], missing: Mapping[str, str]
) -> dict[str, tuple[Figure | None, str]]:
    """By column, what was measured or why not."""
    found: dict[str, tuple[Figure | None, str]] = {
        column: (None, "the table of datasets has none for it")
        for column in _columns(table)
        if column != AVERAGE
    }
    for name, dataset in DATASETS.items():
        for of, column in dataset.published:
            if of == table:
                why = missing.get(name, f"{name}: it was not run")
                found[column] = (figures.get(name), "" if name in figures else why)
    return found


def _average(
    table: str, figures: Mapping[str, Figure], missing: Mapping[str, str]
) -> tuple[Figure | None, str]:
    """The mean of what the table's average is the mean of, if all of it was measured."""
    (averaged,) = (one.averaged for one in tables() if one.name == table)
    measured = _measured(table, figures, missing)
    there = [figure for name in averaged if (figure := measured[name][0]) is not None]
    if len(there) < len(averaged):
        lacking = [name for name in averaged if measured[name][0] is None]
        return None, f"{table}: of its average are missing {', '.join(lacking)}"
    return Figure(fmean(one.value for one in there), failed=sum(o.failed for o in there)), ""


def _columns(table: str) -> Sequence[str]:
    """In the order of the published table."""
    return [name for name in dict.fromkeys(row.column for row in rows(table)) if name != "RTFx"]
