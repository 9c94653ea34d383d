"""The `voxtide` command as a whole: help, version, exit codes, no traceback."""

import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from voxtide.command import main

from . import fakes


def run(*arguments, **options):
    return CliRunner().invoke(main, arguments, **options)


@pytest.mark.parametrize(
    "command", ["", "demo", "transcribe", "batch", "stream", "listen", "doctor", "completion"]
)
def test_help_is_there(command):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
    if command != "demo":
        assert "Examples:" in result.output


def test_help_documents_the_exit_codes():
    assert "3 server unreachable   130 Ctrl-C" in run("--help").output


@pytest.mark.parametrize("arguments", [["frobnicate"], ["transcribe"], ["stream", "/no/such"]])
def test_wrong_usage_is_2(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error:" in result.stderr


@pytest.mark.parametrize("command", ["demo", "transcribe x", "stream -", "doctor"])
def test_a_base_url_that_is_none_is_wrong_usage(command):
    result = run(*command.split(), "--base-url", "nowhere")
    assert result.exit_code == 2
    assert "--base-url" in result.stderr


def test_an_unreachable_server_is_3_and_one_line(tmp_path):
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"x")
    result = run("transcribe", str(audio), env={"VOXTIDE_BASE_URL": "http://127.0.0.1:9/v1"})
    assert result.exit_code == 3
    assert result.stderr == (
        "Error: cannot reach http://127.0.0.1:9/v1/audio/transcriptions: "
        "connection refused; is the server running?\n"
    )


def test_python_m_voxtide_is_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "voxtide", "--version"], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("voxtide ")


def test_ctrl_c_is_130_without_a_traceback_while_a_pipe_stays_open():
    with fakes.in_thread(fakes.realtime(fakes.Talk.accept)) as fake:
        command = [sys.executable, "-m", "voxtide", "stream", "-", "--base-url", fake.base_url]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            process.stdin.write(bytes(3200))
            process.stdin.flush()
            fakes.wait_until(lambda: fake.talks and fake.talks[0].settings)
            process.send_signal(signal.SIGINT)
            # Only then, so that the reader still waits for the pipe at the end of the process.
            assert process.wait(timeout=20) == 130
            assert b"Traceback" not in process.stderr.read()
