"""`voxtide stream`, and the feeder and the sources behind it."""

import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from voxtide.command import main, stream
from voxtide.events import Final, Partial, ServerError

from . import fakes
from .fakes import Talk

TONE = (8000 * np.sin(np.arange(8000) / 5)).astype(np.int16)


async def one_turn(talk: Talk):
    await talk.accept()
    await talk.commit()
    await talk.delta("item_1", " seven")
    await talk.complete("item_1", "seven")


async def failing(talk: Talk):
    await talk.accept()
    await talk.commit()
    await talk.send(f"{fakes.TRANSCRIPTION}.failed", item_id="i", error={"message": "Engine lost."})


def run(script, *arguments):
    with fakes.in_thread(fakes.realtime(script)) as fake:
        result = CliRunner().invoke(main, ["stream", *arguments, "--base-url", fake.base_url])
    return result, fake


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "talk.wav"
    soundfile.write(path, TONE, 16000)
    return str(path)


def test_a_file_is_sent_in_real_time_and_its_turn_is_a_line(file):
    begun = time.monotonic()
    result, fake = run(one_turn, file)
    assert (result.exit_code, result.output) == (0, "seven\n")
    assert fake.talks[0].audio == TONE.tobytes()
    assert time.monotonic() - begun >= len(TONE) / 16000


def test_channels_are_averaged_and_the_rate_is_told(tmp_path):
    path = tmp_path / "stereo.flac"
    soundfile.write(path, np.stack([TONE, np.zeros_like(TONE)], axis=1), 48000)
    result, fake = run(one_turn, str(path), "--pace", "0")
    assert result.exit_code == 0
    assert fake.talks[0].settings["audio"]["input"]["format"]["rate"] == 48000
    sent = np.frombuffer(fake.talks[0].audio, "<i2")
    assert abs(sent - TONE / 2).max() <= 1


def test_raw_audio_comes_from_standard_input():
    with fakes.in_thread(fakes.realtime(one_turn)) as fake:
        command = [sys.executable, "-m", "voxtide", "stream", "-", "--rate", "8000"]
        command += ["--base-url", fake.base_url]
        result = subprocess.run(command, input=TONE.tobytes() + b"x", capture_output=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"seven\n", b"")
    assert fake.talks[0].audio == TONE.tobytes()
    assert fake.talks[0].settings["audio"]["input"]["format"]["rate"] == 8000


def test_a_failed_turn_is_told_and_the_exit_code_says_so(file):
    result, _ = run(failing, file, "--pace", "0")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: Engine lost.\n"


def test_a_file_that_is_no_audio_is_told_in_one_line(tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(b"no audio at all")
    result, _ = run(one_turn, str(path))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: cannot read {path} as audio")


def test_a_file_that_breaks_off_is_told_in_one_line(tmp_path):
    path = tmp_path / "talk.flac"
    soundfile.write(path, np.random.default_rng(1).integers(-9000, 9000, 48000, np.int16), 16000)
    path.write_bytes(path.read_bytes()[:40000])
    result, _ = run(one_turn, str(path), "--pace", "0")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.stderr.startswith(f"Error: cannot read {path} to its end")


def test_a_rate_for_a_file_is_wrong_usage(file):
    result, _ = run(one_turn, file, "--rate", "8000")
    assert result.exit_code == 2


TERMINAL = {
    "a turn grows word by word": (
        [Partial(" se", None, "i"), Partial("ven", None, "i"), Final("seven", "i")],
        "seven\n",
    ),
    "two turns are two lines": (
        [Partial(" a", None, "i"), Final("a", "i"), Partial(" b", None, "j"), Final("b", "j")],
        "a\nb\n",
    ),
    "a turn without partials": ([Final("a", "i")], "a\n"),
    "an error in a turn": (
        [Partial(" a", None, "i"), ServerError("x", "Lost.", None, False, turn="i")],
        "a\nError: Lost.\n",
    ),
    "the end in a turn": ([Partial(" a", None, "i")], "a\n"),
}


@pytest.mark.parametrize(("events", "shown"), TERMINAL.values(), ids=TERMINAL)
def test_a_terminal_shows_words_as_they_come(capsys, events, shown):
    stream._Printer(live=True).print_all(iter(events))
    captured = capsys.readouterr()
    assert captured.out + captured.err == shown
