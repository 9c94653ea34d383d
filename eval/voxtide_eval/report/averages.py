"""Means over datasets or languages, as published tables have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..datasets.table import DATASETS
from ..published import AVERAGE, Table, rows, tables
from ..scoring import Score
from ..scoring.intervals import Groups, mean_ratio
from .curves import Chart, Curve, Point, at, published_curves, series

Columns = Mapping[str, Score]
"""Runs by the column of a table that they reproduce."""


def averages(scores: Sequence[Score]) -> list[Chart]:
    """One for each published table of which a system was run in all that its average is made of.

    A mean counts each column alike, as the tables do. Columns are drawn independently for its
    interval.
    """
    made = [_chart(table, scores) for table in tables() if table.averaged]
    return [chart for chart in made if chart]


def _chart(table: Table, scores: Sequence[Score]) -> Chart | None:
    found = {label: tuple(_points(table, runs)) for label, runs in series(scores).items()}
    ours = [Curve(label, points) for label, points in found.items() if points]
    if not ours:
        return None
    said = published_curves(row for row in rows(table.name) if row.column == AVERAGE)
    title = f"{table.title} ({table.name}), mean of {', '.join(table.averaged)}"
    return Chart(title, "mean error rate", (*ours, *said))


def _points(table: Table, runs: Sequence[Score]) -> Iterator[Point]:
    by_delay: dict[int | None, dict[str, Score]] = {}
    for one in runs:
        for column in _columns(table, one):
            by_delay.setdefault(one.run.delay_ms, {})[column] = one
    for delay_ms, columns in by_delay.items():
        if columns.keys() >= set(table.averaged):
            rate = mean_ratio([_sums(columns[column]) for column in table.averaged])
            if rate:
                yield at(delay_ms, rate)


def _columns(table: Table, score: Score) -> Iterator[str]:
    known = DATASETS.get(score.run.dataset)
    if known and known.split == score.run.split:
        yield from (column for name, column in known.published if name == table.name)


def _sums(score: Score) -> tuple[list[float], list[float], Groups]:
    counts = [one.counts for one in score.utterances]
    return [one.errors for one in counts], [one.units for one in counts], score.by
