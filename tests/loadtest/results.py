"""Trials and results as a run would have given them."""

from __future__ import annotations

from typing import Any

from voxtide_loadtest.capacity.course import Course, Trial
from voxtide_loadtest.capacity.result import result
from voxtide_loadtest.capacity.search import Outcome, Rules
from voxtide_loadtest.capacity.server import Server
from voxtide_loadtest.capacity.slo import Slo, judge
from voxtide_loadtest.capacity.trial import Length
from voxtide_loadtest.figures import Figures
from voxtide_loadtest.summary import summary

BEGAN = 1_000_000.0
DELAY_MS = 480


def run(
    streams: int,
    *,
    word_s: float = 0.6,
    lag_s: float = 0.5,
    slip_s: float = 0.001,
    began: float = BEGAN,
    **counts: int,
) -> dict[str, Any]:
    """Summary of a run of 45 s; before the measuring window everything took a second more."""
    figures = Figures()
    given = {f"delay_ms:{DELAY_MS}": streams, "turns:final": streams, "sessions": streams}
    given |= {"words_against_idle:said": 100, "timed_by:corpus": 100}
    figures.counts.update(
        given | {name.replace("__", ":"): count for name, count in counts.items()}
    )
    for at, more in ((began + 5, 1.0), (began + 16, 0.0), (began + 21, 0.0)):
        figures.streams[int(at)] = streams
        figures.record("word_emission_latency", word_s + more, at)
        figures.record("transcript_lag", lag_s + more, at)
        figures.record("schedule_slip", slip_s + more, at)
    return summary(figures, {"began_unix_s": began, "duration_s": 45.0})


def trial(
    number: int, streams: int, outcome: Outcome, purpose: str = "search", word_s: float = 0.6
) -> Trial:
    """A trial with that outcome; trials follow each other by a minute."""
    began = BEGAN + 60 * number
    made = run(streams, word_s=word_s, began=began)
    judgement = judge(made, streams, began + 15, Slo(), None)
    return Trial(
        number, streams, purpose, outcome, judgement.problems, judgement.limit_ms,
        began, began + 15, began + 45, judgement.figures, made["over_time"],
    )  # fmt: skip


def searched(name: str, limit: int, samples: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Result of a search on a server that carries `limit` streams: beyond, words take 0.9 s."""
    rules = Rules(most=100, tolerance=0.0, trials=3, passes=3)
    course = Course(Server("http://127.0.0.1:1", name), rules)
    number = 0
    while course.ask:
        number += 1
        streams, good = course.ask.streams, course.ask.streams <= limit
        outcome: Outcome = "passed" if good else "failed"
        course.tell(trial(number, streams, outcome, course.ask.purpose, 0.6 if good else 0.9))
    return result([course], Slo(), Length(), BEGAN, samples or [])
