"""What came of a soak as one page."""

from __future__ import annotations

from ..report.page import Fact, details, figure, page, section, table
from . import output, plots
from .run import Plan, Result
from .watch import growth


def html(plan: Plan, result: Result, warm_up_s: float) -> str:
    """The page."""
    made = output.tables(plan, result, warm_up_s)
    account, faults, *servers = (table(it.title, it.headings, it.rows, it.note) for it in made)
    blocks = [
        section("What became of it", account),
        section("What went wrong", faults, _all(result)),
    ]
    if result.lags:
        caption = (
            "Transcript lag: audio that was sent, less the place that the text had reached, at "
            "each new piece of text; the greatest of all speakers. Dotted: a fault begins."
        )
        blocks.append(section("Lag", figure(plots.lag(result), caption)))
    if any(result.samples.values()):
        caption = "Resident memory of each server, a line from each of its starts on."
        blocks.append(section("Memory", figure(plots.memory(result), caption), *servers))
    return page("Soak", output.verdict(result), _facts(result, warm_up_s), blocks)


def _facts(result: Result, warm_up_s: float) -> list[Fact]:
    account = result.account
    words = account.words
    facts = [
        Fact("Words lost", f"{words.lost:,}", f"of {words.said:,}"),
        Fact("Words doubled", f"{words.doubled:,}"),
        Fact("Audio lost", f"{account.audio.lost_s:.2f} s", f"of {account.audio.sent_s:,.0f} s"),
        Fact("Connections replaced", f"{account.sessions.resumed:,}", "by sessions that went on"),
    ]
    facts += [
        Fact(f"Memory of {name}, MB/h", output.grows(growth(samples, warm_up_s)), "95 % interval")
        for name, samples in result.samples.items()
    ]
    return facts


def _all(result: Result) -> str:
    rows = [
        (fault.name, f"{fault.began_s:.0f}", f"{fault.ended_s:.0f}", fault.what)
        for fault in sorted(result.happened, key=lambda one: one.began_s)
    ]
    headings = ("fault", "from, s", "to, s", "what was done")
    return details("One by one", table("Each fault", headings, rows))
