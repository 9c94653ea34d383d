"""Runs through real vLLM with nano: every way, cut off and gone on with, and stock vLLM."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from tests.conftest import Clip, Server
from tests.integration.live import SURE
from voxtide_eval import manifest
from voxtide_eval.command import main
from voxtide_eval.inference.options import WAYS
from voxtide_eval.manifest import Heard, Manifest

pytestmark = pytest.mark.integration

WORD_TIME_S = 0.12
"""How far off nano's word ends may be, as in its own tests."""


@pytest.fixture
def sure(clips: list[Clip]) -> list[Clip]:
    return [clip for clip in clips if clip.path.stem in SURE]


@pytest.fixture
def data(sure: list[Clip], tmp_path: Path) -> Path:
    """A listing of the clips, with the ends of their words."""
    return listing(tmp_path / "sure.jsonl", sure)


def listing(path: Path, clips: list[Clip]) -> Path:
    with path.open("w") as file:
        for number, clip in enumerate(clips):
            ends = zip(clip.text.split(), clip.ends, strict=True)
            words = [{"word": word, "end": end} for word, end in ends]
            row = {"id": f"{clip.path.stem}-{number}", "audio": str(clip.path), "words": words}
            file.write(json.dumps({**row, "text": clip.text}) + "\n")
    return path


def run(data: Path, out: Path, *more: str) -> list[Manifest]:
    """Manifests of `run`, which has to succeed."""
    result = CliRunner().invoke(main, ["run", str(data), "--out", str(out), *more])
    assert result.exit_code == 0, result.output
    return [manifest.read(Path(line)) for line in result.stdout.splitlines()]


def texts(there: Manifest) -> list[str]:
    return [one.hypothesis for one in there.heard]


def without_times(heard: Heard) -> Heard:
    return replace(heard, partials=(), emitted=(), first_word_s=None, final_s=None)


@pytest.mark.parametrize("way", WAYS)
def test_every_word_is_heard_with_its_times(
    server: Server, sure: list[Clip], data: Path, tmp_path: Path, way: str
) -> None:
    (there,) = run(data, tmp_path, "--base-url", server.base_url, "--way", way, "-n", "3")
    assert (there.run.model, there.run.delay_ms, there.run.way) == ("nano", 480, way)
    assert there.run.server["product"] == "voxtide"
    assert there.run.server["vllm"].startswith("0.")
    assert texts(there) == [clip.text for clip in sure]
    for one in there.heard:
        assert [word.text for word in one.words] == one.reference.split()
        for word, said in zip(one.words, one.reference_words, strict=True):
            assert abs(word.end - said.end) <= WORD_TIME_S
        assert one.final_s is not None
        assert one.final_s > 0
        assert one.error == ""


def test_a_word_is_shown_after_it_was_said(server: Server, data: Path, tmp_path: Path) -> None:
    """The model's delay lies between the two, less the frame in which the word ended."""
    more = ("--base-url", server.base_url, "--way", "realtime", "-n", "2", "--limit", "2")
    (there,) = run(data, tmp_path, *more)
    for one in there.heard:
        assert len(one.emitted) == len(one.words)
        assert one.emitted == tuple(sorted(one.emitted))
        for word, at in zip(one.words, one.emitted, strict=True):
            assert at >= word.end + 0.48 - 0.08
        shown = [text for _, text in one.partials]
        assert shown[-1] == one.hypothesis
        assert all(later.startswith(before) for before, later in pairwise(shown))
        assert one.first_word_s == one.partials[0][0]


def test_a_run_that_is_killed_and_gone_on_with_gives_the_same_manifest(
    server: Server, sure: list[Clip], tmp_path: Path
) -> None:
    data = listing(tmp_path / "often.jsonl", sure * 6)
    more = ("--base-url", server.base_url, "-n", "1")
    (whole,) = run(data, tmp_path / "whole", *more)
    out = tmp_path / "cut"
    command = [sys.executable, "-m", "voxtide_eval", "run", str(data), "--out", str(out), *more]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not any(part.read_bytes().count(b"\n") >= 3 for part in out.glob("*.part")):
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (part,) = out.iterdir()
    kept = [json.loads(line)["id"] for line in part.read_text().splitlines()[1:]]
    assert 2 <= len(kept) < len(whole.heard)
    (again,) = run(data, out, *more)
    assert again.run == whole.run
    assert list(map(without_times, again.heard)) == list(map(without_times, whole.heard))
    assert [path.suffix for path in out.iterdir()] == [".jsonl"]


@pytest.mark.timeout(900)  # a server starts in it
def test_from_servers_at_two_delays_to_a_report(server: Server, data: Path, tmp_path: Path) -> None:
    """One that runs, and one that is started for it and ended; live is as the file at both."""
    before = children()
    ways = ("--way", "fast", "--way", "file")
    out = tmp_path / "runs"
    at_480 = run(data, out, "--base-url", server.base_url, *ways)
    at_960 = run(data, out, "--serve", "nano", "--delays", "960", *ways)
    assert children() <= before
    assert [one.run.delay_ms for one in (*at_480, *at_960)] == [480, 480, 960, 960]
    for live, file in (at_480, at_960):
        assert texts(live) == texts(file) == [one.reference for one in live.heard]
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    runs = map(str, sorted(out.glob("*.jsonl")))
    command = ["report", *runs, "--html", str(page), "--markdown", str(text)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert text.read_text().count("0 of 3 utterances that are in both runs differ") == 2
    assert "<svg" in page.read_text()


@pytest.mark.timeout(900)  # a server starts in it
def test_stock_vllm_by_the_same_code(data: Path, tmp_path: Path) -> None:
    """One utterance at once: of two files side by side it gives the one that ends first the
    words of the other."""
    before = children()
    more = ("--way", "realtime", "--way", "file", "--limit", "2", "-n", "1")
    live, file = run(data, tmp_path, "--serve", "nano", "--stock", *more)
    assert live.run.server["product"] == "vllm"
    assert (live.run.label, live.run.delay_ms) == ("stock vLLM nano", 480)
    for there in (live, file):
        assert texts(there) == [one.reference for one in there.heard]
        assert all(one.words == () and one.final_s is not None for one in there.heard)
    assert all(len(one.emitted) == len(one.hypothesis.split()) for one in live.heard)
    assert children() <= before


def children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))
