"""Fixtures for all tests: one real server with nano for the whole run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# On a busy machine the first draws are slow; that says nothing about the code.
settings.register_profile("voxtide", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("voxtide")

# Of the processes of `pytest -n 2`; without -n there is only this one.
_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
if _PROCESS:
    # Unasked, vLLM would let the servers of all of them compute on the same cores.
    _CORES = sorted(os.sched_getaffinity(0))
    _CORE = _CORES[int(_PROCESS) % len(_CORES)]
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", str(_CORE))

CLIPS = Path(__file__).parent / "fixtures" / "nano"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With -n the long files come first, so that all processes end at about the same time."""
    if _PROCESS:
        items.sort(key=lambda item: item.get_closest_marker("integration") is None)


@dataclass(frozen=True)
class Server:
    """A running `voxtide serve`.

    Attributes:
        base_url: with `/v1`, as the OpenAI SDK takes it.
        log: what vLLM wrote so far.
    """

    base_url: str
    log: Path
    process: subprocess.Popen[str]

    @property
    def host(self) -> str:
        """HOST:PORT."""
        return self.base_url.removeprefix("http://").removesuffix("/v1")


@dataclass(frozen=True)
class Clip:
    """A recording that nano is known to hear exactly.

    Attributes:
        path: FLAC, 16 kHz, mono.
        text: its exact transcript.
        ends: end of each word in seconds.
    """

    path: Path
    text: str
    ends: tuple[float, ...]
    held_out: str


def load_clips() -> list[Clip]:
    """The known-good clips, from their manifest."""
    rows = [json.loads(line) for line in (CLIPS / "manifest.jsonl").read_text().splitlines()]
    return [
        Clip(
            CLIPS / row["audio"],
            row["text"],
            tuple(word["end"] for word in row["words"]),
            row["held_out"],
        )
        for row in rows
    ]


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    """The known-good clips."""
    return load_clips()


@contextmanager
def serving(*arguments: str, env: dict[str, str] | None = None) -> Iterator[Server]:
    """A `voxtide serve` with nano, from its ready line on; killed if it does not stop.

    Args:
        arguments: more of its flags.
        env: more of its environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with log.open("w") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "voxtide_server", "--port", "0", *arguments],
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                env={**os.environ, **(env or {})},
            )
        assert process.stdout is not None
        with process.stdout:
            ready = process.stdout.readline()
            if not ready.startswith("voxtide ready: "):
                process.kill()
                pytest.fail(f"the server did not start:\n{log.read_text()[-4000:]}")
            try:
                yield Server(ready.split()[2], log, process)
            finally:
                process.terminate()
                process.wait(60)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """`voxtide serve` with nano, started once; it must stop cleanly at the end.

    Its limit is given: measured on a slow machine it may be below what tests open at once.
    """
    flags = ("--served-model-name", "nano", "nano-realtime", "--max-sessions", "32")
    flags += ("--page", "true")
    with serving(*flags) as server:
        yield server
        server.process.terminate()
        assert server.process.wait(60) == 0, server.log.read_text()[-4000:]
