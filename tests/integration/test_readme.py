"""The Python code of README.md, as it stands there, against `voxtide serve`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import Clip, Server

pytestmark = pytest.mark.integration

README = (Path(__file__).parents[2] / "README.md").read_text()
SURE = "voice-091-espeak-Marco"


def code(mark: str) -> str:
    """The block with this in it."""
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if mark in block]
    return str(block)


@pytest.mark.parametrize(
    "mark", ["audio.transcriptions.create", "Client().transcribe", "Client().stream"]
)
def test_what_it_shows_runs_as_it_stands(
    mark: str,
    server: Server,
    clips: list[Clip],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (clip,) = [clip for clip in clips if clip.path.stem == SURE]
    shutil.copy(clip.path, tmp_path / "talk.flac")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOXTIDE_BASE_URL", server.base_url)
    exec(code(mark).replace("http://127.0.0.1:8000/v1", server.base_url), {})
    assert capsys.readouterr().out.strip() == clip.text
