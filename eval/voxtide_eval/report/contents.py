"""All tables of a report, as Markdown and LaTeX have them."""

from __future__ import annotations

from collections.abc import Sequence

from ..scoring import Score
from .differences import differences, table
from .published import beside
from .tables import Table, of_parts, of_runs


def all_tables(scores: Sequence[Score]) -> list[Table]:
    """Of runs, beside what was published, live against file, and by parts of runs."""
    return [
        *of_runs(scores),
        *beside(scores),
        *map(table, differences(scores)),
        *(made for one in scores for made in of_parts(one)),
    ]
