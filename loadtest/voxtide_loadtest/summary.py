"""A run in one object: what reports, comparisons and the capacity search read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .baseline import Idle
from .corpus import FRAME_S, Clip
from .figures import BIN_S, OVER_TIME, TIMES, Figures
from .pacing import SLIP_LIMIT_MS
from .words import align

FORMAT = 1
_EDITS = ("lost", "doubled", "inserted", "substituted")


def summary(
    figures: Figures,
    about: Mapping[str, Any],
    clips: list[Clip] | None = None,
    idle: Mapping[str, Idle] | None = None,
) -> dict[str, Any]:
    """The figures of a run; docs/loadtest.md describes the object.

    Args:
        about: what was run against what: goes into the object as it is.
        clips, idle: give the word error rate of an idle server on what was said.
    """
    problems = invalid(figures)
    words = _words(figures, "words")
    return {
        "format": FORMAT,
        "valid": not problems,
        "invalid_because": problems,
        "about": dict(about),
        "sessions": {
            "opened": figures.counts["sessions"],
            "refused": figures.of("refused"),
            "lost": figures.of("lost"),
            "reconnected": figures.of("reconnected"),
            "peak": max(figures.streams.values(), default=0),
        },
        "turns": figures.of("turns"),
        "errors": figures.of("error"),
        "delay_ms": sorted(map(int, figures.of("delay_ms"))),
        "audio_s": round(figures.counts["frames"] * FRAME_S, 2),
        "generator_cpu_ms_per_audio_s": _cost(figures),
        "words": {
            **words,
            "without_delta": figures.counts["words:without_delta"],
            "unanswered": figures.counts["words:unanswered"],
            "timed_by": figures.of("timed_by"),
            "idle_word_error_rate": _idle_rate(figures, clips or [], idle or {}),
        },
        "words_against_idle": _words(figures, "words_against_idle"),
        "deadlines": {name: figures.counts[f"deadline:{name}"] for name in ("judged", "missed")},
        "files": {
            **_words(figures, "file_words"),
            "failed": figures.of("file_failed"),
            "audio_seconds_per_second": _speed(figures),
        },
        "times_ms": {name: figures.times[name].summary() for name in TIMES},
        "over_time": _over_time(figures),
        "histograms_us": {name: figures.times[name].encoded() for name in TIMES},
    }


def invalid(figures: Figures) -> list[str]:
    """Why the figures say nothing about the server; empty if they do."""
    slip = figures.times["schedule_slip"].percentile_ms(99)
    if slip is None and not len(figures.times["file_latency"]):
        return ["no audio was sent"]
    if slip is not None and slip > SLIP_LIMIT_MS:
        return [
            f"the generator was late itself: p99 of its slip is {slip:.1f} ms, "
            f"the limit {SLIP_LIMIT_MS:.0f} ms; give it more processes or machines"
        ]
    return []


def _words(figures: Figures, kind: str) -> dict[str, int | float | None]:
    """Words said and how they differ; the word error rate is null if none was said."""
    counts: dict[str, int | float | None] = {
        name: figures.counts[f"{kind}:{name}"] for name in ("said", *_EDITS)
    }
    errors = sum(figures.counts[f"{kind}:{name}"] for name in _EDITS)
    said = figures.counts[f"{kind}:said"]
    return counts | {"word_error_rate": round(errors / said, 5) if said else None}


def _idle_rate(figures: Figures, clips: list[Clip], idle: Mapping[str, Idle]) -> float | None:
    """Word error rate of the idle transcripts of the clips, each as often as it was said."""
    errors = said = 0
    for clip in clips:
        if clip.words is not None and clip.id in idle:
            often = figures.said[clip.id]
            edits = align(clip.words, tuple(idle[clip.id].text.split())).errors
            errors, said = errors + often * edits, said + often * len(clip.words)
    return round(errors / said, 5) if said else None


def _speed(figures: Figures) -> float | None:
    """Audio time of all files by the time of all their requests (RTFx of one request)."""
    took = figures.counts["file:milliseconds"]
    return round(figures.counts["file:audio_milliseconds"] / took, 2) if took else None


def _cost(figures: Figures) -> float | None:
    """CPU time of the generator, in milliseconds for each second of audio that it sent."""
    sent = figures.counts["frames"] * FRAME_S
    return round(figures.counts["cpu_microseconds"] / 1000 / sent, 3) if sent else None


def _over_time(figures: Figures) -> dict[str, Any]:
    """Bins of Unix time: open sessions (most in the bin), and for each name its histogram."""
    seconds = figures.streams
    bins = {at // BIN_S for at in seconds} | {
        at for series in figures.series.values() for at in series.bins
    }
    rows = []
    for at in sorted(bins):
        row: dict[str, Any] = {
            "unix_s": at * BIN_S,
            "streams": max(seconds[s] for s in range(at * BIN_S, (at + 1) * BIN_S)),
        }
        for name in OVER_TIME:
            if at in figures.series[name].bins:
                one = figures.series[name].bins[at]
                row[name] = {"ms": one.summary(), "us": one.encoded()}
        rows.append(row)
    return {"bin_s": BIN_S, "bins": rows}
