"""What came of a soak as tables of text, which the terminal and the page show, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import numpy as np

from ..terminal import Table
from .account import Account
from .run import Plan, Result
from .slope import Slope
from .watch import Sample, cores, growth

HOUR_S = 3600.0
BINS = 200
"""Moments at which the lag over time is told."""


def tables(plan: Plan, result: Result, warm_up_s: float) -> list[Table]:
    """All that is to be told, the account first."""
    made = [_account(result.account), _faults(result)]
    if result.samples:
        made.append(_servers(result, warm_up_s))
    return made


def verdict(result: Result) -> str:
    """The answer in a sentence."""
    wrong = [f"{count} {what}" for what, count in _wrong(result.account).items() if count]
    if not result.account.balanced:
        wrong.append("the account does not balance")
    wrong += [f"{fault.name}: {fault.what.splitlines()[0]}" for fault in _unwell(result)]
    said = f"{len(result.happened)} faults in {result.duration_s / 60:.1f} minutes"
    return f"{said}: {'; '.join(wrong) or 'nothing lost, nothing doubled'}."


def as_json(plan: Plan, result: Result, warm_up_s: float) -> dict[str, Any]:
    """All of it for programs (docs/loadtest.md has the shape)."""
    seconds = [lag for _, lag in result.lags]
    return {
        "format": 1,
        "clean": result.clean,
        "about": {
            "servers": ["voxtide serve"] * 2 if plan.serve is not None else [*plan.habits.urls],
            "serve": None if plan.serve is None else [*plan.serve],
            "dialect": plan.habits.dialect,
            "clips": len(plan.habits.clips),
            "speakers": plan.speakers,
            "faults": [*plan.faults],
            "every_s": plan.every_s,
            "lasts_s": plan.lasts_s,
            "netem": plan.netem,
            "seed": plan.seed,
            "began_unix_s": result.began_unix_s,
            "duration_s": result.duration_s,
        },
        "balanced": result.account.balanced,
        **result.account.as_json(),
        "happened": [asdict(fault) for fault in result.happened],
        "lag": {
            "n": len(seconds),
            **{f"p{p}_s": float(np.percentile(seconds, p)) for p in (50, 95, 99) if seconds},
            "over_time": [{"at_s": at, "max_s": most} for at, most in lag_over_time(result)],
        },
        "processes": {
            name: _process(samples, warm_up_s) for name, samples in result.samples.items()
        },
    }


def lag_over_time(result: Result) -> list[tuple[float, float]]:
    """(middle of a bin, greatest lag in it), both in seconds; bins without text are left out."""
    width = max(1.0, result.duration_s / BINS)
    bins = groupby(result.lags, key=lambda one: int(one[0] / width))
    return [((at + 0.5) * width, max(lag for _, lag in some)) for at, some in bins]


def grows(slope: Slope | None) -> str:
    """A growth of memory for people."""
    if slope is None:
        return "too short to say"
    low, high = slope.low * HOUR_S, slope.high * HOUR_S
    return f"{slope.estimate * HOUR_S:+.1f} ({low:+.1f} to {high:+.1f})"


def _process(samples: Sequence[Sample], warm_up_s: float) -> dict[str, Any]:
    slope = growth(samples, warm_up_s)
    return {
        "starts": len({one.pid for one in samples}),
        "cores": cores(samples),
        "warm_up_s": warm_up_s,
        "growth": None if slope is None else _per_hour(slope),
        "over_time": [{"at_s": one.at_s, "pid": one.pid, "rss_mb": one.rss_mb} for one in samples],
    }


def _per_hour(slope: Slope) -> dict[str, Any]:
    return {
        "mb_per_hour": slope.estimate * HOUR_S,
        "low_mb_per_hour": slope.low * HOUR_S,
        "high_mb_per_hour": slope.high * HOUR_S,
        "samples": slope.samples,
        "independent": slope.independent,
        "grows": slope.grows,
    }


def _wrong(account: Account) -> Mapping[str, int | str]:
    turns, audio, words = account.turns, account.audio, account.words
    return {
        "words lost": words.lost,
        "words doubled": words.doubled,
        "turns failed": turns.failed,
        "turns without a transcript": turns.missing + turns.unfinished,
        "transcripts too many": turns.repeated,
        "s of audio lost": _some(audio.lost_s),
        "s of audio heard twice": _some(audio.doubled_s),
        "sessions broken": account.sessions.broken.total(),
    }


def _some(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds else ""


def _unwell(result: Result) -> list[Any]:
    return [fault for fault in result.happened if not fault.well]


def _account(account: Account) -> Table:
    sessions, turns, audio, words = account.sessions, account.turns, account.audio, account.words
    rows = [
        ("sessions opened", f"{sessions.opened:,}"),
        ("  went on over another connection", f"{sessions.resumed:,} times"),
        ("  broken", _codes(sessions.broken)),
        ("  refused, and tried again", _codes(sessions.refused)),
        ("turns said", f"{turns.said:,}"),
        ("  final", f"{turns.final:,}"),
        ("  failed", f"{turns.failed:,}"),
        ("  without an answer", f"{turns.missing:,}"),
        ("  and not said to their end", f"{turns.unfinished:,}"),
        ("  final transcripts too many", f"{turns.repeated:,}"),
        ("audio sent, s", f"{audio.sent_s:,.1f}"),
        ("  transcribed", f"{audio.transcribed_s:,.1f}"),
        ("  lost", f"{audio.lost_s:,.2f}"),
        ("  heard twice", f"{audio.doubled_s:,.2f}"),
        ("words said", f"{words.said:,}"),
        ("  lost", f"{words.lost:,}"),
        ("  doubled", f"{words.doubled:,}"),
        ("  inserted", f"{words.inserted:,}"),
        ("  substituted", f"{words.substituted:,}"),
        ("errors of the server", _codes(account.errors)),
        ("the account balances", "yes" if account.balanced else "NO"),
    ]
    return Table("Account", ("", ""), rows, "Words: against what the server hears alone.")


def _codes(counts: Counter[str]) -> str:
    listed = ", ".join(f"{code} {count}" for code, count in sorted(counts.items()))
    return f"{counts.total():,} ({listed})" if listed else "0"


def _faults(result: Result) -> Table:
    names = sorted({fault.name for fault in result.happened})
    rows = []
    for name in names:
        some = [fault for fault in result.happened if fault.name == name]
        longest = max(fault.ended_s - fault.began_s for fault in some)
        last = some[-1].what.splitlines()[0]
        rows.append((name, str(len(some)), f"{longest:.0f}", last))
    headings = ("fault", "times", "longest, s", "the last one")
    return Table("Faults", headings, rows)


def _servers(result: Result, warm_up_s: float) -> Table:
    rows = []
    for name, samples in result.samples.items():
        used = cores(samples)
        memory = [one.rss_mb for one in samples]
        rows.append(
            (
                name,
                str(len({one.pid for one in samples})),
                f"{max(memory):,.0f}" if memory else "",
                grows(growth(samples, warm_up_s)),
                "" if used is None else f"{used:.2f}",
            )
        )
    headings = ("server", "starts", "most memory, MB", "growth, MB/h (95 %)", "cores")
    note = (
        f"Resident memory of all its processes, 10^6 bytes. Growth and cores: in its longest life, "
        f"growth without the first {warm_up_s:g} s."
    )
    return Table("Servers", headings, rows, note)
