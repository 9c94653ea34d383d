"""Runs beside what others published of the same data."""

from __future__ import annotations

from collections.abc import Sequence

from ..published import sources
from ..scoring import Score
from .curves import published
from .figures import NOTHING, count, delay, percent, percent_interval
from .tables import Table, name


def beside(scores: Sequence[Score]) -> list[Table]:
    """One table for each dataset of which something was published."""
    found: dict[tuple[str, str], list[Score]] = {}
    for one in scores:
        found.setdefault((one.run.dataset, one.run.split), []).append(one)
    made = [_table(*key, runs) for key, runs in found.items()]
    return [table for table in made if table]


def _table(dataset: str, split: str, scores: Sequence[Score]) -> Table | None:
    said = list(published(dataset, split))
    if not said:
        return None
    rows = [
        (name(one), percent(one.total.counts.rate), percent_interval(one.total.rate), *_how(one))
        for one in scores
    ]
    rows += [
        (
            f"{row.model}, {row.table}, {row.column}" + _at(row.delay_ms),
            f"{row.value:.2f}",
            NOTHING,
            NOTHING,
            row.source,
        )
        for row in said
    ]
    headings = ("run or published figure", "%", "95 % interval", "utterances", "source")
    used = {row.source for row in said}
    told = "; ".join(f"{key}: {what}" for key, what in sources().items() if key in used)
    note = (
        "A figure of another normaliser, or of a part of the data, is another figure: look at the "
        f"run's. {told}."
    )
    return Table(f"{dataset} {split}", headings, rows, note)


def _at(delay_ms: int | None) -> str:
    return f", {delay(delay_ms)}" if delay_ms is not None else ""


def _how(score: Score) -> tuple[str, str]:
    return count(score.total.utterances), f"measured, {score.run.normaliser}"
