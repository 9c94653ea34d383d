"""Captions of ten minutes of speech, from a real server into files that others read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.client.caption_rules import check, parsed_srt, parsed_vtt
from tests.conftest import Clip, Server
from tests.integration.test_long_stream import ten_minutes
from voxtide import Final, Partial, Segment, Word
from voxtide.captions import LiveCaptions, SrtWriter

pytestmark = pytest.mark.integration


@pytest.mark.timeout(1200)
def test_ten_minutes_become_captions_that_keep_every_rule(
    server: Server, clips: list[Clip], tmp_path: Path
) -> None:
    audio, _ = ten_minutes(clips)
    captions, log = tmp_path / "talk.vtt", tmp_path / "events.jsonl"
    with log.open("wb") as sink:
        subprocess.run(
            [sys.executable, "-m", "voxtide", "stream", "-", "--json", "--captions", captions],
            env=os.environ | {"VOXTIDE_BASE_URL": server.base_url},
            input=audio.tobytes(),
            stdout=sink,
            check=True,
        )
    events = [json.loads(line) for line in log.read_text().splitlines()]
    check_captions(events, captions.read_text(), len(audio) / 16_000)


def check_captions(events: list[dict[str, Any]], vtt: str, seconds: float) -> None:
    """The file, and the one in the other format that the library makes of the same events."""
    cues = parsed_vtt(vtt)
    assert len(cues) > 60
    check(cues)
    said = " ".join(event["text"] for event in events if event["event"] == "final").split()
    assert len(said) > 500
    assert " ".join(cue.text for cue in cues).split() == said
    assert cues[-1].end < seconds + 5
    assert parsed_srt(as_srt(events)) == cues


def as_srt(events: list[dict[str, Any]]) -> str:
    kinds = {"partial": Partial, "segment": Segment, "final": Final}
    captions, writer, content = LiveCaptions(), SrtWriter(), ""
    for event in events:
        if kind := kinds.get(event.pop("event")):
            words = tuple(Word(**word) for word in event.pop("words", ()))
            taken = kind(**event, **({} if kind is Partial else {"words": words}))
            content += "".join(map(writer.text, captions.take(taken)))
    return content
