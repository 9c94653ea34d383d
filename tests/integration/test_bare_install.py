"""`pip install voxtide` and nothing else, in a clean environment."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import Clip, Server
from tests.integration.audio import pcm16
from tests.integration.live import SURE

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration

LOADED = "import json, sys, voxtide; print(json.dumps([n.split('.')[0] for n in sys.modules]))"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment with the bare package in it."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    before = set(packages(folder))
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "--disable-pip-version-check", "-q", "install", str(ROOT)]
    subprocess.run(command, check=True)
    (folder / "before.json").write_text(json.dumps(sorted(before)))
    return python


def packages(folder: Path) -> list[str]:
    return [path.name for path in (folder / "lib").glob("python3*/site-packages/*")]


def test_its_dependencies_take_less_than_12_mb(python: Path) -> None:
    folder = python.parents[1]
    before = set(json.loads((folder / "before.json").read_text()))
    added = [name for name in packages(folder) if name not in before]
    own = [name for name in added if name.startswith("voxtide")]
    assert own
    (site,) = (folder / "lib").glob("python3*/site-packages")
    size = sum(
        file.stat().st_size
        for name in set(added) - set(own)
        for file in [site / name, *(site / name).rglob("*")]
        if file.is_file()
    )
    assert 1e6 < size < 12e6, sorted(added)
    assert not {"torch", "numpy", "vllm"} & set(added)


def test_importing_it_brings_nothing_heavy(python: Path) -> None:
    loaded = set(json.loads(subprocess.check_output([python, "-c", LOADED])))
    assert "voxtide" in loaded
    heavy = {"torch", "numpy", "httpx", "websockets", "click", "rich", "anyio", "fsspec"}
    assert not loaded & heavy


def test_the_command_says_what_it_needs_beyond_that(python: Path) -> None:
    command = python.parent / "voxtide"
    assert b"transcribe" in subprocess.check_output([command, "--help"])
    refused = subprocess.run([command, "demo"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "pip install" in refused.stderr
    assert "Traceback" not in refused.stderr


PROGRAM = """
import sys, voxtide

with open(sys.argv[2], "rb") as pcm, voxtide.Client(sys.argv[1]).stream(pcm) as session:
    print(*(event.text for event in session if isinstance(event, voxtide.Final)))
print(voxtide.Client(sys.argv[1]).transcribe(sys.argv[3]).text)
"""


def test_it_hears_with_the_newest_packages(
    python: Path, server: Server, clips: list[Clip], tmp_path: Path
) -> None:
    """Others in the environment of the tests hold some of them back."""
    clip = next(clip for clip in clips if clip.path.stem == SURE[0])
    (tmp_path / "talk.pcm").write_bytes(pcm16(clip.path).tobytes())
    command = [python, "-c", PROGRAM, server.base_url, tmp_path / "talk.pcm", clip.path]
    told = subprocess.check_output(command, text=True)
    assert told.splitlines() == [clip.text] * 2


def test_types_come_with_it(python: Path, tmp_path: Path) -> None:
    """A program that uses it passes mypy --strict without stubs."""
    (site,) = (python.parents[1] / "lib").glob("python3*/site-packages")
    assert (site / "voxtide" / "py.typed").exists()
    program = tmp_path / "program.py"
    program.write_text(
        "import voxtide\n\n"
        "def words(path: str) -> list[float]:\n"
        "    with voxtide.Client().stream([path.encode()]) as session:\n"
        "        return [w.end for e in session if isinstance(e, voxtide.Final) for w in e.words]\n"
    )
    # From another folder: in that of the project mypy would read the sources there instead.
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert checked.returncode == 0, checked.stdout
