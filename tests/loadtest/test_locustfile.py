"""The locust file as a user runs it: the command, its workers, its web UI."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.ports import free_port
from tests.loadtest.echo import corpus, echo
from tests.loadtest.locusts import command, eventually, fetch
from voxtide_loadtest.baseline import Idle, write


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("said") / "corpus", seconds=2.0)


def run(host: str, manifest: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Any]:
    """A run without the web UI, whose sessions are waited for, and its summary."""
    summary = manifest.parent / "summary.json"
    summary.unlink(missing_ok=True)
    flags = ["--headless", "--only-summary", "--stop-timeout", "30", "--summary", str(summary)]
    done = subprocess.run(
        command(host, manifest, *flags, *arguments), capture_output=True, text=True, check=False
    )
    figures = json.loads(summary.read_text()) if summary.exists() else None
    return done, figures


def test_one_process_counts_what_the_server_did(manifest: Path) -> None:
    idle = manifest.parent / "idle.json"
    write(idle, {f"{n}.wav": Idle(f"w{n}x0 w{n}x1", (1.0,) * 20) for n in range(3)})
    with echo(manifest, "--drop-every", "30") as server:
        arguments = ("-u", "3", "-r", "3", "-t", "4s", "--session", "fixed:2", "--idle", str(idle))
        done, figures = run(server.host, manifest, *arguments)
    assert figures is not None, done.stderr
    assert figures["words"]["lost"] == server.log["counts"]["dropped"] > 0
    assert figures["turns"] == {"final": server.log["counts"]["turns"]}
    assert figures["sessions"]["opened"] == server.log["counts"]["sessions"]
    assert figures["sessions"]["peak"] == 3
    assert figures["words_against_idle"]["said"] == 2 * figures["turns"]["final"]
    deadlines = figures["deadlines"]
    assert deadlines["judged"] == figures["times_ms"]["word_emission_latency"]["n"]
    # A millisecond after its end comes no word but the last ones, with the commit.
    assert deadlines["judged"] / 2 < deadlines["missed"] <= deadlines["judged"]
    assert "word_emission_latency" in done.stderr  # locust's own table has it too
    # Whether the machine was too busy, the run says itself.
    assert done.returncode == (0 if figures["valid"] else 3), done.stderr


@contextmanager
def elsewhere(host: str, manifest: Path, port: str) -> Iterator[None]:
    """A worker that is started by itself, as on another machine."""
    flags = ("--worker", "--master-host", "127.0.0.1", "--master-port", port)
    worker = subprocess.Popen(command(host, manifest, *flags), stderr=subprocess.DEVNULL)
    try:
        yield
        worker.wait(60)  # the master tells it that the run is over
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("apart", [False, True], ids=["processes", "master and worker"])
def test_figures_of_workers_are_added_up(manifest: Path, apart: bool) -> None:
    port = str(free_port())
    bind = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    workers = ("--master", "--expect-workers", "1", *bind) if apart else ("--processes", "2")
    with echo(manifest, "--drop-every", "30") as server, ExitStack() as stack:
        if apart:
            stack.enter_context(elsewhere(server.host, manifest, port))
        arguments = ("-u", "4", "-r", "4", "-t", "6s", "--session", "fixed:2", *workers)
        done, figures = run(server.host, manifest, *arguments)
    assert figures is not None, done.stderr
    assert figures["words"]["lost"] == server.log["counts"]["dropped"] > 0
    assert figures["turns"] == {"final": server.log["counts"]["turns"]}
    assert figures["times_ms"]["schedule_slip"]["n"] == server.log["counts"]["frames"]
    assert figures["sessions"]["peak"] == 4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--corpus", "/nowhere"), "--corpus"),
        (("--shape", "step:3"), "step:STEPS,SECONDS"),
        (("--dialect", "vllm"), "--model"),
        (("--files", "2"), "--files"),
        (("--session", "long"), "--session"),
        (("--barge-in", "2"), "--barge_in"),
        (("--network", "jitter:x"), "--network"),
        (("--idle", "/nowhere"), "--idle"),
        (("--rate", "12345"), "--rate"),
        (("--final-timeout", "0"), "--final-timeout"),
    ],
)
def test_a_wrong_option_ends_the_run_at_once(
    manifest: Path, arguments: tuple[str, ...], named: str
) -> None:
    done, figures = run("http://127.0.0.1:9", manifest, *arguments)
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode != 0
    assert figures is None


def test_the_web_ui_shows_latencies(manifest: Path) -> None:
    with echo(manifest) as server:
        port = free_port()
        flags = ("--web-port", str(port), "--web-host", "127.0.0.1", "--autostart")
        arguments = ("-u", "2", "-r", "2", "--session", "fixed:2")
        process = subprocess.Popen(
            command(server.host, manifest, *flags, *arguments),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            figures = eventually(f"http://127.0.0.1:{port}/voxtide/figures")
            page = fetch(f"http://127.0.0.1:{port}/voxtide").decode()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    assert "Word emission latency" in page
    assert figures["words"]["lost"] == 0
    assert figures["times_ms"]["word_emission_latency"]["n"] > 0
    assert any("word_emission_latency" in row for row in figures["over_time"])
    assert "histograms_us" not in figures
