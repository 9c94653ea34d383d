"""The folder in which the launcher and its API servers meet."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from voxtide_server import drain
from voxtide_server.drain import Drain, run_folder
from voxtide_server.start_errors import MachineError


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(drain, "LOOK_S", 0.01)


async def test_a_server_is_done_when_nobody_is_inside_any_more() -> None:
    told, busy = [], True
    with run_folder("h", 1) as folder:
        side = Drain(folder.path, 7.0)
        watching = asyncio.create_task(side.watch(lambda: busy))
        with side.told(told.append):
            await asyncio.sleep(0.05)
            assert not folder.done
            assert not side.asked
            folder.ask()
            await asyncio.sleep(0.05)
            assert side.asked
            assert told == [7.0]
            assert not folder.done
            busy = False
            await asyncio.wait_for(watching, 10)
            assert folder.done
        path = folder.path
    assert not path.exists()


async def test_without_a_folder_nobody_asks() -> None:
    side = Drain(None, 7.0)
    await side.watch(lambda: True)
    assert not side.asked


def test_a_folder_of_a_launcher_that_was_killed_is_made_anew() -> None:
    with run_folder("h", 1) as first:
        first.ask()
        (first.path / "server-1").touch()
        with run_folder("h", 1) as second:
            assert second.done
            assert (second.path / "pid").read_text() == str(os.getpid())
            assert not (second.path / "drain").exists()


def test_a_folder_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = os.getuid() + 1
    (tmp_path / f"voxtide-{other}").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(MachineError, match="belongs to somebody else"), run_folder("h", 1):
        pass


def test_the_command_asks_the_launcher_and_waits() -> None:
    code = (
        "import signal, sys, time\n"
        "from voxtide_server.drain import run_folder\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "with run_folder('h', 1):\n"
        "    print(flush=True)\n"
        "    time.sleep(60)"
    )
    environ = {**os.environ, "TMPDIR": tempfile.gettempdir()}
    launcher = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environ)
    with launcher:
        assert launcher.stdout is not None
        launcher.stdout.readline()
        assert drain.main(["--host", "h", "--port", "1"]) == 0
        assert launcher.wait(10) == 3


def test_the_command_says_when_there_is_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert drain.main(["--host", "h", "--port", "1"]) == 1
    assert "no server of this user runs at h port 1" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is not None
