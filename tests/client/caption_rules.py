"""The rules of captions, written once more from docs/captions.md, to check cues and files by."""

import html
import io
from itertools import pairwise

import pysubs2
import webvtt

from voxtide.captions import CaptionRules, Cue
from voxtide.captions.text import width


def check(cues: list[Cue], rules: CaptionRules | None = None) -> None:
    """Every rule that holds for any words whatever."""
    rules = rules or CaptionRules()
    for cue in cues:
        shown = cue.end - cue.start + 1e-6
        assert width(cue.text) / shown <= rules.reading_speed, cue
        assert 1 <= len(cue.lines) <= rules.max_lines, cue
        assert max(map(width, cue.lines)) <= rules.max_line, cue
        assert shown >= rules.min_duration, cue
        assert shown <= rules.max_duration + 2e-6, cue
    for before, after in pairwise(cues):
        assert after.start - before.end >= rules.gap - 1e-6, (before, after)


def parsed_srt(content: str) -> list[Cue]:
    """A file as pysubs2 reads it."""
    events = pysubs2.SSAFile.from_string(content, format_="srt").events
    return [
        Cue(event.start / 1000, event.end / 1000, tuple(event.plaintext.split("\n")))
        for event in events
    ]


def parsed_vtt(content: str) -> list[Cue]:
    """A file as webvtt-py reads it, which leaves escapes as they are."""
    captions = webvtt.from_buffer(io.StringIO(content))
    return [
        Cue(
            _seconds(caption.start_time),
            _seconds(caption.end_time),
            tuple(html.unescape(caption.text).split("\n")),
        )
        for caption in captions
    ]


def _seconds(time: webvtt.models.Timestamp) -> float:
    whole = time.hours * 3600 + time.minutes * 60 + time.seconds
    return (whole * 1000 + time.milliseconds) / 1000
