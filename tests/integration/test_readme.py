"""The Python code of README.md, as it stands there, against `voxtide serve`."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clip, Server
from tests.integration.audio import pcm16

pytestmark = pytest.mark.integration

README = (Path(__file__).parents[2] / "README.md").read_text()
SURE = "voice-091-espeak-Marco"


def code(library: str) -> str:
    """The block that imports a library."""
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if re.search(rf"^(import|from) {library}\b", block, re.M)]
    return str(block)


@pytest.fixture
def clip(clips: list[Clip]) -> Clip:
    return next(clip for clip in clips if clip.path.stem == SURE)


def test_with_openais_sdk(
    server: Server,
    clip: Clip,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(clip.path, tmp_path / "talk.flac")
    monkeypatch.chdir(tmp_path)
    exec(code("openai").replace("http://127.0.0.1:8000/v1", server.base_url), {})
    assert capsys.readouterr().out.strip() == clip.text


async def test_with_voxtides_client(
    server: Server,
    clip: Clip,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        pcm = pcm16(clip.path).tobytes()
        for at in range(0, len(pcm), 2_560):
            yield pcm[at : at + 2_560]

    monkeypatch.setenv("VOXTIDE_BASE_URL", server.base_url)
    namespace: dict[str, Any] = {}
    exec(code("voxtide"), namespace)
    await namespace["main"](chunks())
    text, words = capsys.readouterr().out.split("\n", 1)
    assert text.strip() == clip.text
    assert re.findall(r"\('(\w+)', [\d.]+\)", words) == clip.text.split()
