"""Searches that go on side by side: their trials take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .search import Ask, Found, Outcome, Rules, Search, search
from .server import Server


@dataclass(frozen=True, slots=True)
class Trial:
    """A run that was judged.

    Attributes:
        number: from 1 on, in the order in which they were run, over all servers.
        streams, purpose, outcome: see `search`.
        problems, limit_ms, figures: see `slo.Judgement`.
        began_unix_s, counted_unix_s, ended_unix_s: begin, begin of the measuring window, end.
        over_time: bins of the run, as in its summary.
    """

    number: int
    streams: int
    purpose: str
    outcome: Outcome
    problems: tuple[str, ...]
    limit_ms: float
    began_unix_s: float
    counted_unix_s: float
    ended_unix_s: float
    figures: dict[str, Any]
    over_time: dict[str, Any]


@dataclass
class Course:
    """A search against one server; `found` is None until it is over."""

    server: Server
    rules: Rules
    trials: list[Trial] = field(default_factory=list)
    found: Found | None = None

    def __post_init__(self) -> None:
        self._search: Search = search(self.rules)
        self.ask: Ask | None = next(self._search)

    def tell(self, trial: Trial) -> None:
        """The trial that `ask` asks for was run; `ask` becomes the next one, or None."""
        self.trials.append(trial)
        try:
            self.ask = self._search.send(trial.outcome)
        except StopIteration as over:
            self.ask, self.found = None, over.value


def take_turns(courses: Sequence[Course], run: Callable[[Course, Ask, int], Trial]) -> None:
    """Run all trials: A, B, B, A, A, B, … so that what drifts on the machine hits both alike."""
    for number, course in enumerate(_order(courses), 1):
        assert course.ask is not None
        course.tell(run(course, course.ask, number))


def _order(courses: Sequence[Course]) -> Iterator[Course]:
    order = list(courses)
    while any(course.ask for course in order):
        for course in order:
            if course.ask:
                yield course
        order.reverse()
