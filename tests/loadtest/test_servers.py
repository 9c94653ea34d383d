"""Servers that are started, ended in both ways, and started again; without a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from tests.loadtest.echo import corpus
from voxtide_loadtest.__main__ import main
from voxtide_loadtest.baseline import Idle, write
from voxtide_loadtest.corpus import load
from voxtide_loadtest.soak.servers import LocalServer, ServerFailed


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus; `python -m voxtide_server` is a fake that hears it, for as long as the test."""
    package = tmp_path / "voxtide_server"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("from tests.fakes.local_server import main\nmain()\n")
    manifest = corpus(tmp_path / "said", clips=2, seconds=0.8)
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}:{root}/client:{root}/loadtest")
    monkeypatch.setenv("HEARING_CORPUS", str(manifest))
    return manifest


@pytest.fixture
def one(said: Path, tmp_path: Path) -> Iterator[LocalServer]:
    """A server that is not started, and not left behind; its log is one.log."""
    made = LocalServer("one", ("--model", "nano"), tmp_path)
    yield made
    made.kill()


def processes(log: Path) -> list[int]:
    """That the fake has had, as its log says."""
    return [int(line.split()[1]) for line in log.read_text().splitlines() if "process" in line]


async def test_it_ends_and_serves_again_at_the_same_address(
    one: LocalServer, tmp_path: Path
) -> None:
    url = one.url
    await one.start()
    first = one.pid
    assert one.ready
    assert await one.stop() == 0
    assert not one.ready
    assert one.pid is None
    await one.start()
    assert one.url == url
    assert one.pid != first
    assert await one.lose_engine() == 1
    assert not one.ready
    assert processes(tmp_path / "one.log")[0] == first
    with pytest.raises(ServerFailed, match="no process EngineCore"):
        await one.lose_engine()


async def test_no_process_is_left_behind(one: LocalServer) -> None:
    await one.start()
    assert one.pid is not None
    family = psutil.Process(one.pid).children(recursive=True)
    assert family
    one.kill()
    assert await one.stop() == -9
    _, alive = psutil.wait_procs(family, 20)
    assert not alive


async def test_a_server_that_does_not_start_is_told_with_the_end_of_its_log(
    one: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARING_FAILS", "yes")
    with pytest.raises(ServerFailed, match="no such model"):
        await one.start()
    assert not one.ready


def test_two_servers_of_which_one_ends_again_and_again(said: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    flags = ["--serve", "nano", "--corpus", str(said), "--seconds", "8", "--speakers", "2"]
    flags += ["--faults", "kill,term", "--every", "2", "--session", "3", "--logs", str(logs)]
    result = CliRunner().invoke(main, ["soak", *flags, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["clean"]
    assert document["sessions"]["resumed"] > 0
    done = {fault["name"]: fault["what"] for fault in document["happened"]}
    assert "ended with 0" in done["term"]
    assert "ended with 1" in done["kill"]
    assert document["processes"]["mortal"]["starts"] >= 2
    assert document["processes"]["lasting"]["starts"] == 1
    pids = [pid for log in logs.iterdir() for pid in processes(log)]
    assert len(pids) >= 4
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def planted(said: Path, code: str, *flags: str) -> tuple[int, Any]:
    """The status and the account of four seconds with servers that run this code at each start.

    It knows `number`: which start of a server this is, from 1 on.
    """
    package = said.parents[1] / "voxtide_server" / "__main__.py"
    counted = (
        "import os, pathlib, sys, threading\n"
        "here = pathlib.Path(__file__).parent\n"
        "(here / f'start-{os.getpid()}').touch()\n"
        "number = len(list(here.glob('start-*')))\n"
    )
    package.write_text(f"{counted}{code}\n{package.read_text()}")
    idle = said.parent / "idle.json"
    write(idle, {clip.id: Idle(" ".join(clip.words or ()), ()) for clip in load(str(said))})
    given = ["--serve", "nano", "--corpus", str(said), "--idle", str(idle), "--json"]
    given += ["--seconds", "4", "--speakers", "1"]
    result = CliRunner().invoke(main, ["soak", *given, *flags])
    return result.exit_code, json.loads(result.stdout)


def test_a_server_that_does_not_come_back_is_not_clean(said: Path) -> None:
    """Its words are not lost: the other one hears them."""
    code = "if number > 2: sys.exit('too often')"
    status, document = planted(said, code, "--faults", "term", "--every", "1")
    assert status == 1
    assert not document["clean"]
    assert document["words"]["lost"] == 0
    (failed,) = (fault for fault in document["happened"] if not fault["well"])
    assert "too often" in failed["what"]


def test_a_server_that_ends_by_itself_is_not_clean(said: Path) -> None:
    code = "if number == 2: threading.Timer(2.5, os._exit, (3,)).start()"
    status, document = planted(said, code, "--faults", "")
    assert status == 1
    assert document["words"]["lost"] == 0
    (died,) = document["happened"]
    assert died["what"] == "server lasting had ended by itself"
