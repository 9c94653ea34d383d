"""`voxtide demo`, with a server that is there and with one that it starts."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from voxtide.command import demo as command_demo
from voxtide.command import local_server, main, recording
from voxtide.command.recording import Recording

from . import fakes
from .fakes import Talk

WORDS = Recording("seven eight", (0.2, 0.4), 0.1, "a short voice")


@pytest.fixture
def short_recording(tmp_path, monkeypatch):
    """Half a second instead of the bundled recording."""
    path = tmp_path / "short.flac"
    soundfile.write(path, np.zeros(8000, np.int16), 16000)
    source = recording.opened.from_file
    monkeypatch.setattr(command_demo, "bundled_audio", lambda: source(str(path)))
    monkeypatch.setattr(command_demo.Recording, "bundled", lambda: WORDS)


async def spoken(talk: Talk):
    await talk.accept()
    await talk.receive()
    await talk.delta("item_1", " se", end=0.12)
    await talk.delta("item_1", "ven", end=0.2)
    await talk.delta("item_1", " eight", end=0.44)
    await talk.commit()
    await talk.complete("item_1", "seven eight")


async def mute(talk: Talk):
    await talk.accept()
    await talk.commit()
    await talk.close(1011, "engine lost")


def demo(*arguments):
    return CliRunner().invoke(main, ["demo", *arguments])


@pytest.mark.usefixtures("short_recording")
def test_words_come_with_their_times_and_figures_with_their_units():
    with fakes.in_thread(fakes.realtime(spoken)) as fake:
        result = demo("--base-url", fake.base_url)
    assert result.exit_code == 0, result.output
    assert "   0.20 s  seven\n   0.44 s  eight\n" in result.stdout
    assert re.search(r"text +seven eight\n", result.stdout)
    assert re.search(r"word error rate +0\.0% \(0 errors in 2 words\)", result.stdout)
    assert re.search(r"time to first word +-?\d\.\d\d s\n", result.stdout)
    assert re.search(r"mean word latency +-?\d\.\d\d s \(over 2 recognised words\)", result.stdout)
    assert "voxtide demo --help" in result.stdout


@pytest.mark.usefixtures("short_recording")
def test_without_a_final_transcript_it_fails():
    with fakes.in_thread(fakes.realtime(mute)) as fake:
        result = demo("--base-url", fake.base_url)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the server met an internal error before the last transcript was final "
        "(close code 1011): engine lost\n"
    )


def test_a_delay_for_a_server_that_runs_already_is_wrong_usage():
    assert demo("--base-url", "http://127.0.0.1:9/v1", "--delay-ms", "480").exit_code == 2


# A server that notes its process id, says what it was asked for and starts a child of its own.
SERVER = """
import os, signal, subprocess, sys, time
print("loading the model", file=sys.stderr, flush=True)
child = subprocess.Popen(["sleep", "60"])
with open(os.environ["PIDS"], "w") as pids:
    print(os.getpid(), child.pid, *sys.argv[1:], file=pids)
if os.environ.get("BROKEN"):
    sys.exit("no such profile")
if os.environ.get("STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(f"voxtide ready: {os.environ['URL']} (model nano, delay 480 ms)", flush=True)
time.sleep(60)
"""


@pytest.fixture
def installed_server(tmp_path, monkeypatch):
    """A package voxtide_server for processes that are started; the file with its process ids."""
    package = tmp_path / "site" / "voxtide_server"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SERVER)
    pids = tmp_path / "pids"
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setenv("PIDS", str(pids))
    monkeypatch.setattr(local_server, "_GRACE_SECONDS", 0.3)
    return pids


@contextmanager
def nothing_left(pids: Path):
    """Afterwards neither the server nor its child runs."""
    yield
    for pid in pids.read_text().split()[:2]:
        fakes.wait_until(lambda pid=pid: not _runs(int(pid)))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.usefixtures("short_recording")
@pytest.mark.parametrize("stubborn", ["", "1"], ids=["", "a server that ignores SIGTERM"])
def test_a_started_server_is_waited_for_and_stopped(installed_server, monkeypatch, stubborn):
    monkeypatch.setenv("STUBBORN", stubborn)
    with fakes.in_thread(fakes.realtime(spoken)) as fake, nothing_left(installed_server):
        monkeypatch.setenv("URL", fake.base_url)
        result = demo("--delay-ms", "240")
    assert result.exit_code == 0, result.output
    assert "Starting a server" in result.stderr
    assert installed_server.read_text().split()[2:] == ["--port", "0", "--delay-ms", "240"]


def test_a_server_that_does_not_start_shows_the_end_of_its_log(installed_server, monkeypatch):
    monkeypatch.setenv("BROKEN", "1")
    with nothing_left(installed_server):
        result = demo()
    assert result.exit_code == 1
    assert "the server ended with exit code 1; the end of its log:" in result.stderr
    assert "  loading the model\n  no such profile\n" in result.stderr


@pytest.mark.usefixtures("short_recording")
def test_a_server_that_fails_in_the_demo_shows_the_end_of_its_log(installed_server, monkeypatch):
    with fakes.in_thread(fakes.realtime(mute)) as fake, nothing_left(installed_server):
        monkeypatch.setenv("URL", fake.base_url)
        result = demo()
    assert result.exit_code == 1
    assert "The end of the server's log:\n  loading the model\n" in result.stderr


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_the_server_too(installed_server, number, exit_code):
    with fakes.in_thread(fakes.realtime(Talk.accept)) as fake, nothing_left(installed_server):
        process = subprocess.Popen(
            [sys.executable, "-m", "voxtide", "demo"],
            env=os.environ | {"URL": fake.base_url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        with process:
            fakes.wait_until(lambda: fake.talks and fake.talks[0].settings)
            process.send_signal(number)
            assert process.wait(timeout=20) == exit_code
            assert b"Traceback" not in process.stderr.read()


def test_without_the_server_package_there_is_one_clear_line(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        local_server.importlib.util,
        "find_spec",
        lambda name: None if name == "voxtide_server" else find(name),
    )
    result = demo()
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "Error: the server is not part of this installation; give --base-url\n"
    )
