"""One run of the generator: locust without its web UI, in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from .server import Server
from .slo import Judgement, Slo, judge

_LOCUSTFILE = Path(__file__).parents[1] / "entry" / "locustfile.py"
_LONGER_THAN_A_TRIAL_S = 86_400


class TrialFailed(Exception):
    """The generator ended without figures; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Length:
    """Of a trial, in seconds: all streams begin within `ramp`, and after `warm_up` figures count
    for `measure`."""

    ramp: float = 5.0
    warm_up: float = 10.0
    measure: float = 30.0


@dataclass(frozen=True, slots=True)
class Speech:
    """What is said, in every trial.

    Attributes:
        corpus: as for `--corpus`; "" for the recording that comes with voxtide.
        rate: of the audio, Hz; 0 for that of the dialect.
        more: further options for locust, which win over those that trials set.
    """

    corpus: str = ""
    rate: int = 0
    more: tuple[str, ...] = ()

    def options(self, server: Server) -> list[str]:
        """Of a run against a server, and of `idle`."""
        options = ["--host", server.url, "--dialect", server.dialect, "--corpus", self.corpus]
        return [*options, "--model", server.model, "--rate", str(self.rate)]


def idle(server: Server, speech: Speech, rounds: int, out: Path) -> None:
    """Find out what a server does alone, and write it to a file.

    Raises:
        TrialFailed: it did not answer.
    """
    command = [sys.executable, "-m", "voxtide_loadtest", "idle", *speech.options(server)]
    _run([*command, "--rounds", str(rounds), "--out", str(out)], out)


def run(
    server: Server, speech: Speech, streams: int, length: Length, idle_file: Path
) -> dict[str, Any]:
    """Have so many streams speak, each in one session, and return the summary of the run.

    Raises:
        TrialFailed: there is none.
    """
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        command = [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--headless"]
        command += ["--only-summary", "--summary", str(summary), "--idle", str(idle_file)]
        command += ["--session", f"fixed:{_LONGER_THAN_A_TRIAL_S}", *speech.options(server)]
        command += ["-u", str(streams), "-r", str(max(1.0, streams / max(length.ramp, 0.1)))]
        seconds = ceil(length.ramp + length.warm_up + length.measure)
        _run([*command, "-t", f"{seconds}s", *speech.more], summary)
        return dict(json.loads(summary.read_text(encoding="utf-8")))


def judged(
    summary: dict[str, Any], streams: int, length: Length, slo: Slo, server: Server
) -> tuple[float, Judgement]:
    """When figures began to count (Unix time, s), and how the trial went."""
    counted = summary["about"]["began_unix_s"] + length.ramp + length.warm_up
    return counted, judge(summary, streams, counted, slo, server.delay_ms)


def _run(command: Sequence[str], out: Path) -> None:
    # Locust's exit status tells of refused sessions too: only whether there are figures counts.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not out.exists():
        raise TrialFailed(done.stderr.strip()[-2000:] or f"ended with status {done.returncode}")
