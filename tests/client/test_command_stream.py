"""`voxtide stream`, and the feeder and the sources behind it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from voxtide.command import main
from voxtide.command.caption_file import CaptionFile
from voxtide.events import Partial

from . import fakes
from .caption_rules import parsed_srt, parsed_vtt
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
    await talk.send("input_audio_buffer.committed", item_id="i")
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


def test_the_server_is_asked_to_end_turns_at_pauses(file):
    _, fake = run(one_turn, file, "--pace", "0")
    detection = fake.talks[0].settings["audio"]["input"]["turn_detection"]
    assert detection["type"] == "server_vad"
    assert detection["silence_duration_ms"] == 800


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


# Captions and events


WORDS = [
    {"word": "seven", "start": 0.1, "end": 0.4},
    {"word": "eight", "start": 0.4, "end": 0.8},
    {"word": "nine", "start": 2.4, "end": 2.8},
]


async def two_segments(talk: Talk):
    await talk.accept()
    await talk.receive()
    await talk.delta("item_1", " seven", end=0.4)
    await talk.delta("item_1", " eight", end=0.8)
    segment = {"id": "s", "text": "seven eight", "start": 0.1, "end": 0.8, "words": WORDS[:2]}
    await talk.send(f"{fakes.TRANSCRIPTION}.segment", item_id="item_1", **segment)
    await talk.delta("item_1", " ni", end=2.72)
    await talk.commit()
    await talk.complete("item_1", "seven eight nine", words=WORDS)


@pytest.mark.parametrize(
    ("suffix", "parsed"), [(".srt", parsed_srt), (".vtt", parsed_vtt)], ids=["srt", "vtt"]
)
def test_captions_are_written_beside_the_text(file, tmp_path, suffix, parsed):
    path = tmp_path / f"talk{suffix}"
    path.write_text("an older file")
    result, _ = run(two_segments, file, "--pace", "0", "--captions", str(path))
    assert (result.exit_code, result.output) == (0, "seven eight nine\n")
    cues = parsed(path.read_text())
    assert [cue.text for cue in cues] == ["seven eight", "nine"]
    assert cues[1].start == pytest.approx(2.48)  # 4 characters of 80 ms before its end


def test_the_caption_file_is_valid_from_the_start_and_grows_with_each_cue(tmp_path):
    path = tmp_path / "talk.vtt"
    with CaptionFile(path) as file:
        assert parsed_vtt(path.read_text()) == []
        file.take(Partial(" a whole sentence ends here. And", 3.0, "t"))
        assert [cue.text for cue in parsed_vtt(path.read_text())] == ["a whole sentence ends here."]
    assert [cue.text for cue in parsed_vtt(path.read_text())][1:] == ["And"]


def test_captions_of_another_kind_are_wrong_usage(file, tmp_path):
    result, _ = run(one_turn, file, "--captions", str(tmp_path / "talk.txt"))
    assert result.exit_code == 2
    assert ".srt or .vtt, not .txt" in result.stderr


def test_captions_that_cannot_be_written_are_told_in_one_line(file, tmp_path):
    result, _ = run(one_turn, file, "--captions", str(tmp_path / "no" / "talk.srt"))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: cannot write {tmp_path}/no/talk.srt: No such file")


def test_captions_need_a_server_that_tells_times(file, tmp_path):
    result, _ = run(one_turn, file, "--pace", "0", "--captions", str(tmp_path / "talk.srt"))
    assert result.exit_code == 1
    assert "does not say where words end" in result.stderr


def test_events_are_json_objects_on_lines_of_their_own(file):
    result, _ = run(two_segments, file, "--pace", "0", "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[0]["event"] == "session_ready"
    assert {"event": "partial", "text": " seven", "end": 0.4, "turn": "item_1"} in events
    assert events[-1]["event"] == "final"
    assert events[-1]["words"] == WORDS


def test_an_error_is_a_json_object_too_and_the_exit_code_says_so(file):
    result, _ = run(failing, file, "--pace", "0", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[-1])["message"] == "Engine lost."


# Interrupted, and in a terminal


async def unfinished(talk: Talk):
    await talk.accept()
    await talk.receive()
    await talk.delta("item_1", " seven", end=0.4)
    await talk.complete("item_1", "seven")
    await talk.delta("item_2", " eight ni", end=0.8)


def command(fake, *arguments):
    return [sys.executable, "-m", "voxtide", "stream", *arguments, "--base-url", fake.base_url]


def test_ctrl_c_prints_what_was_said_so_far(tmp_path):
    captions = tmp_path / "talk.srt"
    with fakes.in_thread(fakes.realtime(unfinished)) as fake:
        pipe = subprocess.PIPE
        line = command(fake, "-", "--captions", str(captions))
        with subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            process.stdin.write(bytes(3200))
            process.stdin.flush()
            assert process.stdout.readline() == b"seven\n"
            time.sleep(0.3)  # for the next piece of text, which prints nothing
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 130
            assert process.stdout.read() == b"eight ni\n"
            assert process.stderr.read() == b""
    assert [cue.text for cue in parsed_srt(captions.read_text())] == ["seven", "eight ni"]


def test_a_terminal_shows_words_and_their_lag_and_keeps_the_final_turns(file):
    with fakes.in_thread(fakes.realtime(two_segments)) as fake:
        ours, theirs = pty.openpty()
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "60"}
        process = subprocess.Popen(
            # Slowly, so that there is time to draw what is not final.
            command(fake, file, "--pace", "0.2"),
            stdout=theirs,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # the terminal is gone
            pass
        os.close(ours)
        assert process.wait(20) == 0
    assert b"lag 0." in shown
    assert b"\x1b[2m ni" in shown, "words that may still grow are dimmed"
    assert b"\x1b[2Kseven eight nine\r\n" in shown


def test_live_commands_need_nothing_but_the_bare_install():
    """A terminal without rich shows final turns; a pipe of PCM needs no numpy and no soundfile."""
    absent = "jiwer numpy rich soundfile soxr sounddevice"
    program = f"import sys\nfor name in '{absent}'.split(): sys.modules[name] = None\n"
    program += "sys.stdout.isatty = lambda: True\nfrom voxtide.command import main\nmain()"
    with fakes.in_thread(fakes.realtime(one_turn)) as fake:
        line = [sys.executable, "-c", program, "stream", "-", "--base-url", fake.base_url]
        result = subprocess.run(line, input=TONE.tobytes(), capture_output=True)
    assert (result.returncode, result.stdout) == (0, b"seven\n")
    assert b"pip install 'voxtide[cli]'" in result.stderr
