"""A minute of the soak with real servers: it starts two, and one of them ends and comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Clip
from tests.integration.live import SURE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def sure_corpus(folder: Path, clips: list[Clip]) -> Path:
    """A corpus of the clips that are heard right when they are cut, too."""
    rows = [
        {"audio": str(clip.path), "text": clip.text} for clip in clips if clip.path.stem in SURE
    ]
    manifest = folder / "manifest.jsonl"
    manifest.write_text("\n".join(json.dumps(row) for row in rows))
    return manifest


def test_cuts_and_a_sigterm_lose_no_word(clips: list[Clip], tmp_path: Path) -> None:
    page = tmp_path / "soak.html"
    command = [sys.executable, "-m", "voxtide_loadtest", "soak", "--serve", "nano", "--json"]
    command += ["--corpus", str(sure_corpus(tmp_path, clips)), "--html", str(page)]
    command += ["--speakers", "2", "--seconds", "60", "--every", "10", "--session", "30"]
    command += ["--faults", "cut,slow,network,term", "--warm-up", "10"]
    command += ["--", "--max-sessions", "8", "--drain-seconds", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    account = {name: document[name] for name in ("turns", "words", "audio", "sessions", "errors")}
    assert done.returncode == 0, (account, document["happened"], done.stderr)
    assert document["clean"]
    assert account["turns"]["said"] == account["turns"]["final"] > 4
    assert account["words"]["said"] > 40
    assert account["sessions"]["resumed"] > 0
    happened = {fault["name"]: fault["what"] for fault in document["happened"]}
    assert set(happened) == {"cut", "slow", "network", "term"}
    assert "ended with 0" in happened["term"] or "end of the run" in happened["term"]
    assert document["lag"]["n"] > 0
    assert document["processes"]["lasting"]["starts"] == 1
    assert "Memory" in page.read_text()
