"""Captions of ten minutes of speech, from a real server into files that others read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.caption_rules import check, parsed_srt, parsed_vtt
from tests.conftest import Clip, Server
from tests.integration.test_long_stream import ten_minutes

pytestmark = pytest.mark.integration


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("suffix", "parsed"), [(".vtt", parsed_vtt), (".srt", parsed_srt)], ids=["vtt", "srt"]
)
def test_ten_minutes_become_captions_that_keep_every_rule(
    server: Server, clips: list[Clip], tmp_path: Path, suffix: str, parsed
) -> None:
    audio, _ = ten_minutes(clips)
    captions, events = tmp_path / f"talk{suffix}", tmp_path / "events.jsonl"
    with events.open("wb") as sink:
        subprocess.run(
            [sys.executable, "-m", "voxtide", "stream", "-", "--json", "--captions", captions],
            env=os.environ | {"VOXTIDE_BASE_URL": server.base_url},
            input=audio.tobytes(),
            stdout=sink,
            check=True,
        )
    cues = parsed(captions.read_text())
    assert len(cues) > 60
    check(cues)
    finals = [e for e in map(json.loads, events.open()) if e["event"] == "final"]
    said = " ".join(final["text"] for final in finals).split()
    assert len(said) > 500
    assert " ".join(cue.text for cue in cues).split() == said
    assert cues[-1].end < len(audio) / 16_000 + 5
