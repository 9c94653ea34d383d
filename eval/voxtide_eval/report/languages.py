"""Error rates of one dataset in several languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..scoring import Score
from .curves import Point, point, published, series
from .figures import delay

PUBLISHED_MODEL = "Voxtral Realtime"
"""The published model beside which ours is shown."""


@dataclass(frozen=True)
class Bars:
    """Systems in several languages.

    Attributes:
        title: of the dataset.
        languages: ISO 639-1 codes.
        systems: error rates by language, by what the system is called.
        published: of Voxtral Realtime at the same delay, in percent, likewise.
    """

    title: str
    languages: tuple[str, ...]
    systems: Mapping[str, Mapping[str, Point]]
    published: Mapping[str, Mapping[str, float]]


def by_language(scores: Sequence[Score]) -> list[Bars]:
    """One for each dataset that was heard in two languages or more."""
    found: dict[str, list[Score]] = {}
    for one in scores:
        if one.total.rate:
            family = one.run.dataset.removesuffix(f"-{one.run.language}")
            found.setdefault(f"{family} {one.run.split}", []).append(one)
    return [
        _bars(title, runs)
        for title, runs in found.items()
        if len({one.run.language for one in runs}) > 1
    ]


def _bars(title: str, scores: Sequence[Score]) -> Bars:
    systems: dict[str, dict[str, Point]] = {}
    said: dict[str, dict[str, float]] = {}
    for label, runs in series(scores).items():
        for one in runs:
            system = f"{label}, {delay(one.run.delay_ms)}" if one.run.delay_ms else label
            if made := point(one):
                systems.setdefault(system, {})[one.run.language] = made
            if (value := _published(one)) is not None:
                said.setdefault(system, {})[one.run.language] = value
    return Bars(title, tuple(sorted({one.run.language for one in scores})), systems, said)


def _published(score: Score) -> float | None:
    run = score.run
    rows = published(run.dataset, run.split)
    at = (row.value for row in rows if (row.model, row.delay_ms) == (PUBLISHED_MODEL, run.delay_ms))
    return next(at, None)
