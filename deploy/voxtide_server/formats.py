"""The response formats of `POST /v1/audio/transcriptions`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

from .dialects.base import scores
from .events import Completed, Segment, Word

JSON = "application/json"


def as_json(result: Completed, language: str | None, granularities: set[str]) -> dict[str, Any]:
    """`json`: the text, and how likely its tokens were where that was asked for."""
    return {"text": result.text, **scores(result.logprobs), "usage": _usage(result)}


def as_verbose_json(
    result: Completed, language: str | None, granularities: set[str]
) -> dict[str, Any]:
    """`verbose_json`: segments, and words where they are asked for.

    The model has no `no_speech_prob` for a segment: it is null, and `avg_logprob` too
    where logprobs were not asked for; `seek` is 0 since nothing was sought.
    """
    body: dict[str, Any] = {
        "task": "transcribe",
        "language": language,
        "duration": _s(result.end - result.start),
        "text": result.text,
        "segments": [_segment(segment) for segment in result.segments],
        "usage": _usage(result),
    }
    if "word" in granularities:
        body["words"] = [_word(word) for word in result.words]
    return body


def as_text(result: Completed) -> str:
    """`text`: the text and a newline."""
    return result.text + "\n"


def as_srt(result: Completed) -> str:
    """`srt`: one SubRip cue for each segment."""
    cues = (
        f"{segment.number + 1}\n{_times(segment, ',')}\n{segment.text}\n"
        for segment in result.segments
    )
    return "\n".join(cues)


def as_vtt(result: Completed) -> str:
    """`vtt`: one WebVTT cue for each segment."""
    cues = (f"{_times(segment, '.')}\n{segment.text}\n" for segment in result.segments)
    return "\n".join(("WEBVTT\n", *cues))


OBJECTS: dict[str, Callable[[Completed, str | None, set[str]], dict[str, Any]]] = {
    "json": as_json,
    "verbose_json": as_verbose_json,
}
"""Formats that are a JSON object."""

TEXTS: dict[str, tuple[str, Callable[[Completed], str]]] = {
    "text": ("text/plain; charset=utf-8", as_text),
    "srt": ("application/x-subrip; charset=utf-8", as_srt),
    "vtt": ("text/vtt; charset=utf-8", as_vtt),
}
"""Formats that are a text, with their media type."""


def names() -> Iterable[str]:
    """All formats."""
    return (*OBJECTS, *TEXTS)


def _usage(result: Completed) -> dict[str, Any]:
    return {"type": "duration", "seconds": _s(result.end - result.start)}


def _word(word: Word) -> dict[str, Any]:
    return {"word": word.text, "start": _s(word.start), "end": _s(word.end)}


def _segment(segment: Segment) -> dict[str, Any]:
    text = segment.text.encode()
    return {
        "id": segment.number,
        "seek": 0,
        "start": _s(segment.start),
        "end": _s(segment.end),
        "text": segment.text,
        "tokens": list(segment.tokens),
        "temperature": 0.0,
        "avg_logprob": _mean(segment),
        # As Whisper defines it: bytes of the text over bytes of its zlib compression.
        "compression_ratio": round(len(text) / len(zlib.compress(text)), 3),
        "no_speech_prob": None,
    }


def _mean(segment: Segment) -> float | None:
    if not segment.logprobs:
        return None
    return round(fmean(scored.logprob for scored in segment.logprobs), 4)


def _times(segment: Segment, point: str) -> str:
    return f"{_clock(segment.start, point)} --> {_clock(segment.end, point)}"


def _clock(seconds: float, point: str) -> str:
    """HH:MM:SS and milliseconds after `point`."""
    minutes, ms = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{point}{ms % 1000:03}"


def _s(seconds: float) -> float:
    return round(seconds, 3)
