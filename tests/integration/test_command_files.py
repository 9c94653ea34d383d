"""The command's file side against the real server with nano: transcribe, batch, doctor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Clip, Server

pytestmark = pytest.mark.integration

NAMES = ("demo-piper-joe", "voice-091-espeak-Marco", "sentence-176-flite-kal16")


@pytest.fixture
def talks(clips: list[Clip], tmp_path: Path) -> dict[str, Clip]:
    """A folder with three clips, one of them deeper, by their names in it."""
    found = {clip.path.stem: clip for clip in clips}
    named = {f"{name}.flac": found[name] for name in NAMES[:2]}
    named[f"deep/{NAMES[2]}.flac"] = found[NAMES[2]]
    for name, clip in named.items():
        path = tmp_path / "talks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip.path, path)
    return named


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "voxtide", *arguments, "--base-url", server.base_url]
    return subprocess.run(line, capture_output=True, text=True, timeout=200)


def test_a_folder_is_transcribed_once(
    server: Server, talks: dict[str, Clip], tmp_path: Path
) -> None:
    arguments = ("transcribe", f"{tmp_path}/talks", "-o", f"{tmp_path}/out/", "--json")
    first, second = (command(server, *arguments) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    for name, clip in talks.items():
        text = (tmp_path / "out" / name).with_suffix(".txt").read_text()
        assert text == clip.text + "\n"
    assert second.returncode == 0
    assert [json.loads(line)["status"] for line in second.stdout.splitlines()] == ["skipped"] * 3


def test_a_batch_writes_documents_and_a_second_one_nothing(
    server: Server, talks: dict[str, Clip], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("batch", f"{tmp_path}/talks", str(out))
    assert command(server, *arguments).returncode == 0
    for name, clip in talks.items():
        document = json.loads((out / f"{name}.json").read_text())
        assert document["text"] == clip.text
        assert [word["word"] for word in document["words"]] == clip.text.split()
        assert (document["model"], document["delay_ms"]) == ("nano", 480)
        assert document["server"]["voxtide"] == document["voxtide"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert len(before) == 5
    assert command(server, *arguments).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_the_doctor_finds_the_server_well(server: Server) -> None:
    result = command(server, "doctor", "--json")
    found = json.loads(result.stdout)
    assert (result.returncode, found["problems"]) == (0, [])
    assert (found["server"], found["status"], found["key"]) == ("voxtide", "ready", "not asked for")
    assert found["models"] == ["nano", "nano-realtime"]
    assert found["delay_ms"] == 480
    assert found["sessions"]["capacity"] == 32
    assert all(dialect["answers"] for dialect in found["dialects"].values())
    assert abs(found["clock_ahead_s"]) <= 1
