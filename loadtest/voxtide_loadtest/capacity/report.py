"""A result, or two side by side, as one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..report.page import Fact, details, figure, page, paragraph, section, table
from . import plots
from .slo import LAG, SLIP, WORD
from .timeline import minutes

Found = Mapping[str, Any]
_LATENCY = (
    "Each mark is a trial: o kept the SLO, x did not, + says nothing, as the generator was late. "
    "A trial can fail with words in time: the table says why. The dotted line is the result. What "
    "is above four times the limit is drawn there."
)
_COURSE = (
    "The dashed lines are the limits of the SLO. What the server's /metrics does not have is left "
    "out; CPU is that of the processes that it counts."
)


def of_capacity(found: Found) -> str:
    """The page of a result."""
    return page(
        "How many people can speak at once",
        found["statement"],
        [*_facts(found), _slo(found)],
        [
            section("Latency against streams", figure(plots.latency([found]), _LATENCY)),
            section("Over the run", figure(plots.course(found, minutes([found])), _COURSE)),
            section("Trials", details("Every trial", _trials(found)), paragraph(_method(found))),
        ],
    )


def of_comparison(compared: Mapping[str, Any]) -> str:
    """The page of a comparison."""
    results = compared["servers"]
    facts = [fact for found in results for fact in _facts(found)[:1]]
    return page(
        "How many people can speak at once, side by side",
        compared["statement"],
        [*facts, Fact("Ratio", _number(compared["ratio"]["sessions"], 2), _spread(compared))],
        [
            section("Latency against streams", figure(plots.latency(results), _LATENCY)),
            *(
                section(
                    found["server"]["name"],
                    paragraph(found["statement"]),
                    figure(plots.course(found, minutes(results)), _COURSE),
                    details("Every trial", _trials(found)),
                    paragraph(_method(found)),
                )
                for found in results
            ),
        ],
    )


def _facts(found: Found) -> list[Fact]:
    capacity, server = found["capacity"], found["server"]
    above = capacity["next"]
    at = [
        trial
        for trial in found["trials"]
        if trial["streams"] == capacity["sessions"] and trial["outcome"] == "passed"
    ]
    worst = max((trial["figures"]["times_ms"][WORD]["p95"] for trial in at), default=None)
    note = f"{server['dialect']} dialect" + ("" if above is None else f"; {above} were too many")
    return [
        Fact(f"Live streams, {server['name']}", str(capacity["sessions"]), note),
        Fact("p95 of word latency", f"{_number(worst)} ms", "with so many, in the worst trial"),
        Fact(
            "Trials that kept the SLO",
            f"{capacity['passed']} of {capacity['trials']}",
            f"when the result was confirmed; {len(found['trials'])} in all",
        ),
    ]


def _slo(found: Found) -> Fact:
    slo, limit = found["slo"], max(trial["limit_ms"] for trial in found["trials"])
    words = f"at most {slo['lost_words'] * 100:g} % of the" if slo["lost_words"] else "no"
    return Fact(
        "SLO",
        f"≤ {limit:.0f} ms",
        f"p95 of word latency; p99 of lag ≤ {slo['lag_ms']:.0f} ms, no refusals, {words} "
        "words lost or doubled",
    )


def _spread(compared: Mapping[str, Any]) -> str:
    low, high = compared["ratio"]["low"], compared["ratio"]["high"]
    return f"{_number(low, 2)} to {_number(high, 2)} by what was tried"


def _trials(found: Found) -> str:
    rows = [
        (
            str(trial["number"]),
            str(trial["search"]),
            str(trial["streams"]),
            trial["purpose"],
            trial["outcome"],
            *(_number(trial["figures"]["times_ms"][WORD][name]) for name in ("p50", "p95", "p99")),
            _number(trial["figures"]["times_ms"][LAG]["p99"]),
            _number(trial["figures"]["times_ms"][SLIP]["p99"], 1),
            "; ".join(trial["problems"]),
        )
        for trial in found["trials"]
    ]
    headings = (
        "trial",
        "search",
        "streams",
        "for",
        "outcome",
        "word p50, ms",
        "p95",
        "p99",
        "lag p99",
        "slip p99",
        "why",
    )
    return table(f"Trials against {found['server']['name']}", headings, rows)


def _method(found: Found) -> str:
    rules, length, capacity = found["rules"], found["trial_s"], found["capacity"]
    return (
        f"Streams were doubled until trials failed, and the gap was halved to one stream or "
        f"{rules['tolerance']:.0%}. The best number then had to pass {rules['passes']} of "
        f"{rules['trials']} new trials; candidates that were put to this: "
        f"{capacity['candidates']}. "
        f"In a trial all streams begin within {length['ramp']:g} s, and {length['warm_up']:g} s "
        f"later figures count for {length['measure']:g} s. The confidence is that of a "
        "Clopper-Pearson bound over all candidates together; it takes trials as independent, and "
        "is for this machine and hour."
    ).replace("%", " %")


def _number(value: float | None, digits: int = 0) -> str:
    return "unknown" if value is None else f"{value:.{digits}f}"
