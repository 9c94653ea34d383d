"""`voxtide listen`, with a hand-written stand-in for sounddevice: there is no sound card.

The stand-in has what `voxtide.sources.microphone` uses of it and nothing else.
"""

import sys
import threading
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

from voxtide.command import main
from voxtide.sources import microphone

from . import fakes
from .caption_rules import parsed_vtt
from .test_command_stream import failing, one_turn, two_segments

TONE = (8000 * np.sin(np.arange(12_800) / 5)).astype("<i2")


class PortAudioError(Exception):
    """As sounddevice has it."""


class InputStream:
    """Plays a tone from a thread of its own, then is gone, as a device that is pulled out."""

    opened: ClassVar[dict] = {}

    def __init__(self, **settings):
        type(self).opened = settings
        if settings["device"] == "broken":
            raise PortAudioError("Error opening RawInputStream: Device unavailable")
        self._settings = settings
        self._thread = threading.Thread(target=self._play)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()

    def _play(self):
        size = self._settings["blocksize"]
        for at in range(0, len(TONE), size):
            block = memoryview(TONE[at : at + size].tobytes())
            self._settings["callback"](block, size, None, None)
        self._settings["finished_callback"]()


@pytest.fixture(autouse=True)
def _sound_card(monkeypatch):
    module = SimpleNamespace(
        RawInputStream=InputStream,
        PortAudioError=PortAudioError,
        query_devices=lambda: "> 0 a microphone (1 in, 0 out)",
    )
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def listen(script, *arguments):
    with fakes.in_thread(fakes.realtime(script)) as fake:
        line = ["listen", *arguments, "--base-url", fake.base_url]
        return CliRunner().invoke(main, line), fake


def test_what_the_microphone_hears_is_sent_and_each_turn_is_a_line():
    result, fake = listen(one_turn)
    assert (result.exit_code, result.output) == (0, "seven\n")
    assert fake.talks[0].audio == TONE.tobytes()
    assert InputStream.opened["samplerate"] == 16000
    assert InputStream.opened["blocksize"] == 1280
    assert (InputStream.opened["channels"], InputStream.opened["dtype"]) == (1, "int16")


def test_it_has_the_outputs_of_stream(tmp_path):
    path = tmp_path / "talk.vtt"
    result, _ = listen(two_segments, "--captions", str(path), "--json")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith(
        '{"event": "final", "text": "seven eight nine"'
    )
    assert [cue.text for cue in parsed_vtt(path.read_text())] == ["seven eight", "nine"]


def test_a_failed_turn_is_told():
    result, _ = listen(failing)
    assert (result.exit_code, result.stderr) == (1, "Error: Engine lost.\n")


@pytest.mark.parametrize(("given", "device"), [("3", 3), ("USB", "USB")])
def test_a_device_is_a_number_or_a_name(given, device):
    listen(one_turn, "--device", given)
    assert InputStream.opened["device"] == device


def test_a_device_that_cannot_be_opened_is_told_in_one_line():
    result, _ = listen(one_turn, "--device", "broken")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: cannot record from broken: Error opening RawInputStream: Device unavailable\n"
    )


def test_the_devices_are_listed():
    result = CliRunner().invoke(main, ["listen", "--list-devices"])
    assert (result.exit_code, result.output) == (0, "> 0 a microphone (1 in, 0 out)\n")


def test_without_sounddevice_there_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = CliRunner().invoke(main, ["listen"])
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the microphone needs the package sounddevice: pip install 'voxtide[mic]'\n"
    )


def test_the_level_is_in_db_below_full_scale():
    assert microphone.level_db(bytes(2560)) == microphone.SILENCE_DB
    full = (32767 * np.sin(np.arange(16000) * 2 * np.pi / 160)).astype("<i2")
    assert microphone.level_db(full.tobytes()) == pytest.approx(-3.01, abs=0.01)
    assert microphone.level_db(b"") == microphone.SILENCE_DB


def test_audio_that_finds_no_room_is_counted():
    recorder = microphone.Recorder()
    for _ in range(760):
        recorder.take(bytes(2560), 1280, None, None)
    assert recorder.lost_seconds == pytest.approx(0.8)
    recorder.end()
    assert sum(len(piece.audio) for piece in recorder.pieces()) == 750 * 2560
