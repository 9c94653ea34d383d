"""Whether the figures of a trial keep the service level objective (SLO)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..figures import OVER_TIME
from ..histograms import Histogram
from ..pacing import SLIP_LIMIT_MS
from .search import Outcome

WORD, LAG, SLIP = "word_emission_latency", "transcript_lag", "schedule_slip"


class CannotJudge(Exception):
    """A trial has not what the SLO is about; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Slo:
    """What must be kept.

    Attributes:
        word_ms: most that p95 of word emission latency may be above the model's delay.
        lag_ms: most that p99 of transcript lag may be.
        lost_words: share of the words, 0 to 1, that may be lost, doubled or unanswered, against
            what the server heard when it was idle.
        slip_ms: most that p99 of the generator's own slip may be; else the trial is void.
    """

    word_ms: float = 300.0
    lag_ms: float = 1000.0
    lost_words: float = 0.0
    slip_ms: float = SLIP_LIMIT_MS


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a trial went.

    Attributes:
        outcome: "void" if the generator was late.
        problems: why it did not pass, in words.
        limit_ms: most that p95 of word emission latency may have been.
        figures: `times_ms` of the measuring window (as in a summary), and counts of the whole run.
    """

    outcome: Outcome
    problems: tuple[str, ...]
    limit_ms: float
    figures: dict[str, Any]


def judge(
    summary: Mapping[str, Any], streams: int, from_unix_s: float, slo: Slo, delay_ms: int | None
) -> Judgement:
    """Judge the summary of a run.

    Latencies are those of whole bins that begin in the measuring window. Refusals, broken
    connections and words count from the beginning on: whoever was refused was refused.

    Args:
        from_unix_s: begin of the measuring window.
        delay_ms: of the model, where the server does not tell it.

    Raises:
        CannotJudge: words have no times, or the delay is unknown.
    """
    rows = [row for row in summary["over_time"]["bins"] if row["unix_s"] >= from_unix_s]
    figures = {
        "times_ms": {name: _window(rows, name).summary() for name in OVER_TIME},
        "peak_streams": max((row["streams"] for row in rows), default=0),
        **_counts(summary),
    }
    if summary["turns"].get("final") and not any(summary["words"]["timed_by"].values()):
        raise CannotJudge("no word has a time: give a corpus whose manifest has `words`")
    limit = slo.word_ms + _delay(summary, delay_ms)
    slip = figures["times_ms"][SLIP]["p99"]
    if slip is not None and slip > slo.slip_ms:
        late = f"the generator was late: p99 of its slip is {slip:.1f} ms"
        return Judgement("void", (late,), limit, figures)
    problems = tuple(_problems(figures, streams, slo, limit))
    return Judgement("failed" if problems else "passed", problems, limit, figures)


def _delay(summary: Mapping[str, Any], given: int | None) -> int:
    told = summary["delay_ms"]
    if told:
        return int(max(told))
    if given is not None:
        return given
    if not summary["sessions"]["opened"]:
        return 0  # nobody was let in: it fails whatever the delay is
    raise CannotJudge("the server does not tell the delay of its model: give delay_ms")


def _window(rows: list[Mapping[str, Any]], name: str) -> Histogram:
    merged = Histogram()
    for row in rows:
        if name in row:
            merged.merge(Histogram.decoded(row[name]["us"]))
    return merged


def _counts(summary: Mapping[str, Any]) -> dict[str, Any]:
    against = summary["words_against_idle"]
    return {
        "refused": sum(summary["sessions"]["refused"].values()),
        "connections_lost": sum(summary["sessions"]["lost"].values()),
        "errors": sum(summary["errors"].values()),
        "turns": summary["turns"],
        "words": {
            **{name: against[name] for name in ("said", "lost", "doubled")},
            "unanswered": summary["words"]["unanswered"],
        },
    }


def _problems(figures: Mapping[str, Any], streams: int, slo: Slo, limit: float) -> list[str]:
    words, times = figures["words"], figures["times_ms"]
    found = [
        f"{what}: {figures[name]}"
        for name, what in (
            ("refused", "sessions refused"),
            ("connections_lost", "connections broken"),
            ("errors", "errors of the server"),
        )
        if figures[name]
    ]
    if figures["peak_streams"] < streams:
        found.append(f"only {figures['peak_streams']} of {streams} streams were open")
    if not figures["turns"].get("final"):
        return [*found, "no turn was answered: nothing came, or the trial is shorter than a turn"]
    wrong = words["lost"] + words["doubled"] + words["unanswered"]
    if wrong > slo.lost_words * (words["said"] + words["unanswered"]):
        found.append(
            f"{words['lost']} words lost, {words['doubled']} doubled, "
            f"{words['unanswered']} unanswered, of {words['said'] + words['unanswered']}"
        )
    if not times[WORD]["n"]:
        found.append("no word came in the measuring window")
    elif times[WORD]["p95"] > limit:
        found.append(f"p95 of word latency {times[WORD]['p95']:.0f} ms, above {limit:.0f}")
    if times[LAG]["n"] and times[LAG]["p99"] > slo.lag_ms:
        found.append(f"p99 of lag {times[LAG]['p99']:.0f} ms, above {slo.lag_ms:.0f}")
    return found
