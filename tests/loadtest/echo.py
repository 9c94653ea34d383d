"""The echo server as a process, a corpus for it, and streams that speak to it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import soundfile

from voxtide_loadtest.behaviour import Behaviour, Distribution, Say, Step
from voxtide_loadtest.connection import ConnectionLost, Refused
from voxtide_loadtest.corpus import Clip, load
from voxtide_loadtest.dialects import DIALECTS
from voxtide_loadtest.measure import Recorder
from voxtide_loadtest.options import Settings
from voxtide_loadtest.pacing import Network
from voxtide_loadtest.session import Session

WORDS_A_SECOND = 10
DELAY_S = 0.48


@dataclass
class Server:
    """A running echo server; `log` is what it did, once it has ended."""

    host: str
    log: dict[str, Any] = field(default_factory=dict)


@contextmanager
def echo(corpus: Path, *faults: str) -> Iterator[Server]:
    """An echo server with such faults."""
    log = corpus.parent / "echo.json"
    command = [sys.executable, "-m", "tests.fakes.echo_server", "--corpus", str(corpus)]
    command += ["--log", str(log), *faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        server = Server(process.stdout.readline().split()[-1])
        try:
            yield server
        finally:
            process.terminate()
    server.log = json.loads(log.read_text())


def corpus(folder: Path, clips: int = 3, seconds: float = 3.0) -> Path:
    """Clips of noise with ten words a second: the echo server knows what is said in them."""
    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng(1)
    rows = []
    for number in range(clips):
        samples = noise.normal(0, 0.1, round(16_000 * seconds)).astype(np.float32)
        soundfile.write(folder / f"{number}.wav", samples, 16_000)
        count = round(seconds * WORDS_A_SECOND)
        words = [
            {"word": f"w{number}x{at}", "end": (at + 1) / WORDS_A_SECOND} for at in range(count)
        ]
        text = " ".join(str(word["word"]) for word in words)
        rows.append({"audio": f"{number}.wav", "text": text, "words": words, "speech_start": 0.0})
    manifest = folder / "manifest.jsonl"
    manifest.write_text("\n".join(json.dumps(row) for row in rows))
    return manifest


def settings(host: str, manifest: Path, **changes: Any) -> Settings:
    """A session of one dialect with what is said in it."""
    values = {
        "host": host,
        "dialect": DIALECTS["openai"],
        "model": None,
        "key": None,
        "clips": load(str(manifest)),
        "rate": 24_000,
        "behaviour": Behaviour(Distribution("fixed", (6.0,))),
        "network": Network(),
        "final_timeout": 20.0,
        "seed": 1,
    }
    return Settings(**{**values, **changes})


def turns(clips: list[Clip], count: int) -> Iterator[Step]:
    """So many whole clips, one after the other."""
    return iter([Say(clips[at % len(clips)]) for at in range(count)])


def speak(chosen: Settings, streams: int, count: int, recorder: Recorder | None = None) -> Recorder:
    """Streams that each say so many clips; those that are refused do not try again."""
    recorder = recorder or Recorder()

    def one(number: int) -> None:
        order = chosen.clips[number % len(chosen.clips) :] + chosen.clips
        try:
            Session(chosen, recorder, random.Random(number)).run(turns(order, count))
        except Refused as refused:
            recorder.refused(refused.code)
        except ConnectionLost as lost:
            recorder.lost(str(lost))

    gevent.joinall([gevent.spawn(one, number) for number in range(streams)], raise_error=True)
    return recorder


def noise_s(recorder: Recorder, server: Server) -> float:
    """How late this process and the server were by themselves, at most, in seconds."""
    slip = recorder.figures.times["schedule_slip"].summary()["max"]
    assert slip is not None
    return float(slip) / 1000 + float(server.log["noise"])
