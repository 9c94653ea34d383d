"""Which runs lie on one curve, and what was published beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..datasets.table import DATASETS
from ..published import Published, rows
from ..scoring import Score
from ..scoring.intervals import Interval


@dataclass(frozen=True)
class Point:
    """An error rate at a delay.

    Attributes:
        delay_ms: None: offline, or nobody says.
        percent: error rate.
        low: lower end of its interval; of published figures the figure itself.
        high: upper end.
    """

    delay_ms: int | None
    percent: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A system over delays, as measured; nothing is between the points.

    Attributes:
        label: of the system; of published ones with their source.
        points: by delay; that without one comes last.
        published: whether somebody else measured it.
    """

    label: str
    points: tuple[Point, ...]
    published: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves over the same utterances, scored the same way.

    Attributes:
        title: what was heard and how it was scored.
        metric: "WER" or "CER".
        curves: measured ones, then published ones.
    """

    title: str
    metric: str
    curves: tuple[Curve, ...]


Series = dict[str, list[Score]]


def charts(scores: Sequence[Score]) -> list[Chart]:
    """One for each dataset and way of scoring in which something was said."""
    found: dict[tuple[str, str, str, str], list[Score]] = {}
    for score in scores:
        run = score.run
        if score.total.rate:
            key = (run.dataset, run.split, run.metric, run.normaliser)
            found.setdefault(key, []).append(score)
    return [_chart(*key, of_key) for key, of_key in found.items()]


def series(scores: Sequence[Score]) -> Series:
    """Runs of one system, each by its delay; the key is what the system is called."""
    labels = {one.run.label for one in scores}
    models = {(one.run.label, one.run.model) for one in scores}
    found: Series = {}
    for one in sorted(scores, key=lambda score: _order(score.run.delay_ms)):
        model = f" ({one.run.model})" if len(models) > len(labels) else ""
        found.setdefault(f"{one.run.label}{model}, {one.run.way}", []).append(one)
    return found


def published(dataset: str, split: str) -> Iterator[Published]:
    """What others measured of a dataset's own split."""
    known = DATASETS.get(dataset)
    for table, column in known.published if known and known.split == split else ():
        yield from (row for row in rows(table) if row.column == column)


def point(score: Score) -> Point | None:
    """Where a run lies; None: nothing was said."""
    rate = score.total.rate
    return at(score.run.delay_ms, rate) if rate else None


def at(delay_ms: int | None, rate: Interval) -> Point:
    """A rate as a point."""
    return Point(delay_ms, rate.value * 100, rate.low * 100, rate.high * 100)


def _chart(
    dataset: str, split: str, metric: str, normaliser: str, scores: Sequence[Score]
) -> Chart:
    ours = [
        Curve(label, tuple(made for one in runs if (made := point(one))))
        for label, runs in series(scores).items()
    ]
    title = f"{dataset} {split}, {metric.upper()} by {normaliser}"
    return Chart(title, metric.upper(), (*ours, *published_curves(published(dataset, split))))


def published_curves(figures: Iterable[Published]) -> Iterator[Curve]:
    """What others measured, by model and source."""
    found: dict[str, list[Published]] = {}
    for row in figures:
        found.setdefault(f"{row.model} ({row.source})", []).append(row)
    for label, of_model in found.items():
        of_model.sort(key=lambda row: _order(row.delay_ms))
        yield Curve(label, tuple(_exactly(row) for row in of_model), published=True)


def _exactly(row: Published) -> Point:
    return Point(row.delay_ms, row.value, row.value, row.value)


def _order(delay_ms: int | None) -> float:
    return float("inf") if delay_ms is None else delay_ms
