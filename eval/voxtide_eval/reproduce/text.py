"""Reproduced tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..published import tables
from .cells import MODEL, Cell, Figure, cells


@dataclass(frozen=True)
class Line:
    """What was measured with one server.

    Attributes:
        label: of the server.
        delay_ms: of its model; None: it does not say.
        figures: by the dataset's name.
        missing: why there is none of a dataset, by its name.
    """

    label: str
    delay_ms: int | None
    figures: Mapping[str, Figure]
    missing: Mapping[str, str]


def markdown(
    names: Iterable[str], lines: Sequence[Line], *, by_delay: bool, limit: int | None
) -> str:
    """The tables with a published line, ours and the difference for each server.

    Args:
        names: of tables.
        lines: of servers, in their order.
        by_delay: whether the tables have a line for each delay.
        limit: utterances of each dataset, if not all.
    """
    parts = ["Error rates in percent, ours with 95 % intervals where they are no averages."]
    if limit is not None:
        parts[0] += f" At most {limit} utterances of each dataset: no reproduction, a glance."
    for name in names:
        rows = [
            (line, cells(name, line.delay_ms if by_delay else None, line.figures, line.missing))
            for line in lines
        ]
        parts += [_table(name, rows), *_missing(rows)]
    return "\n\n".join(parts) + "\n"


def _table(name: str, rows: Sequence[tuple[Line, Sequence[Cell]]]) -> str:
    (title,) = (table.title for table in tables() if table.name == name)
    header = ["", *(cell.column for cell in rows[0][1])]
    made = [header, ["---", *["---:"] * (len(header) - 1)]]
    for line, found in rows:
        delay = "" if line.delay_ms is None else f", {line.delay_ms} ms"
        made.append([f"published, {MODEL}{delay}", *(_number(cell.published) for cell in found)])
        made.append([f"{line.label}{delay}", *map(_ours, found)])
        made.append(["difference", *map(_difference, found)])
    return f"## {name}: {title}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in made)


def _ours(cell: Cell) -> str:
    if cell.ours is None:
        return "missing"
    ends = "" if cell.ours.low is None else f" ({cell.ours.low:.2f}–{cell.ours.high:.2f})"
    failed = f", {cell.ours.failed} failed" if cell.ours.failed else ""
    return f"{cell.ours.value:.2f}{ends}{failed}"


def _difference(cell: Cell) -> str:
    if cell.ours is None or cell.published is None:
        return "–"
    return f"{cell.ours.value - cell.published:+.2f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _missing(rows: Iterable[tuple[Line, Sequence[Cell]]]) -> list[str]:
    """Why what is missing is: each reason once."""
    reasons: dict[str, list[str]] = {}
    for _, found in rows:
        for cell in found:
            if cell.ours is None:
                columns = reasons.setdefault(" ".join(cell.why.split()), [])
                columns += [] if cell.column in columns else [cell.column]
    return (
        ["\n".join(f"- {', '.join(columns)}: missing. {why}" for why, columns in reasons.items())]
        if reasons
        else []
    )
