"""Runs as a report has them: three delays, a file endpoint, a peer, two languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.eval.made import live, manifest
from voxtide_eval.manifest import Heard, Manifest

EVIL = "<script>alert(1)</script>"
AUDIO = Path(__file__).parents[2] / "fixtures" / "nano" / "voice-091-espeak-Marco.flac"
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "start", "stop", "timer", "light"]


def runs() -> list[Manifest]:
    """Of FLEURS in English at three delays, live and as files, beside a peer; and in German."""
    made = [
        _run(delay, "realtime", wrong) for delay, wrong in ((240, 0.2), (480, 0.12), (960, 0.1))
    ]
    made += [_run(480, "file", 0.12), _run(None, "file", 0.08, label="peer", model="other")]
    return [*made, _run(480, "realtime", 0.15, language="de")]


def _run(
    delay: int | None, way: str, wrong: float, language: str = "en", **more: object
) -> Manifest:
    heard = _utterances(np.random.default_rng(7), delay or 0, wrong, way, f"{delay} {way}")
    about = {"label": "nano", "model": "nano", **more}
    return manifest(
        heard, dataset=f"fleurs-{language}", way=way, delay_ms=delay, language=language,
        **about,
    )  # fmt: skip


def _utterances(
    random: np.random.Generator, delay: int, wrong: float, way: str, note: str
) -> Iterator[Heard]:
    texts = random.choice(_WORDS, size=(30, 8)).tolist()  # first, so that all runs are of the same
    for number, said in enumerate(texts):
        came = [str(random.choice(_WORDS)) if random.random() < wrong else w for w in said]
        if number == 3:
            came, said = [EVIL, *came], [*said, "<b>bold</b>"]
        late = (delay / 1000 + 0.15 + random.exponential(0.05, size=len(came))).tolist()
        one = live(said, came, f"clip-{number}", late, speaker=f"speaker {number % 10}")
        audio = {4: "/not/there.wav"}.get(number, "")
        seconds = 3.0 + number / 2
        yield replace(one, audio=audio, seconds=seconds)
    yield replace(one, id="silence", reference="", hypothesis="you", speaker="speaker 1",
                  words=(), emitted=())  # fmt: skip
    yield replace(
        one,
        id=f"lost{EVIL}",
        error=f"stalled: {note} {EVIL}",
        speaker="speaker 2",
        audio=str(AUDIO),
    )
