"""Speech that nobody can miss, told from everything else by its energy."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import CLIPS
from voxtide_server.engine import SAMPLE_RATE, Samples
from voxtide_server.speech import HOP, is_clear_speech, levels
from voxtide_server.turns import RUT_S

PAUSES = "demo-piper-joe"
"""The clip of separate sentences, three quarters of which are no speech."""
SPOKEN = [path for path in sorted(CLIPS.glob("*.flac")) if path.stem != PAUSES]


def read(path: Path) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    return samples  # type: ignore[no-any-return]


def noise(level_db: float, seconds: float = RUT_S) -> Samples:
    """White noise, always the same."""
    random = np.random.default_rng(7).normal(0, 1, round(seconds * SAMPLE_RATE))
    return (random * 10 ** (level_db / 20)).astype(np.float32)


def hum(seconds: float = RUT_S) -> Samples:
    """Mains hum with its harmonics, loud."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * 50 * n * time) / n for n in (1, 2, 3, 5)]
    return (0.2 * np.sum(tones, axis=0)).astype(np.float32)


def clicks(each_s: float, seconds: float = RUT_S) -> Samples:
    """Clicks at full scale with nothing between them."""
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    samples[HOP // 2 :: round(each_s * SAMPLE_RATE)] = 1.0
    return samples


def test_there_are_clips() -> None:
    assert len(SPOKEN) > 10


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.stem)
def test_recorded_speech_is_clear(path: Path) -> None:
    assert is_clear_speech(read(path))


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.stem)
def test_speech_is_clear_at_a_tenth_of_its_level_and_in_a_quiet_room(path: Path) -> None:
    samples = read(path) * np.float32(0.1)
    assert is_clear_speech(samples + noise(-65.0, len(samples) / SAMPLE_RATE)[: len(samples)])


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.stem)
def test_soft_voices_do_not_count(path: Path) -> None:
    assert not is_clear_speech(read(path) * np.float32(0.005))


@pytest.mark.parametrize(
    "sound",
    [
        partial(np.zeros, round(RUT_S * SAMPLE_RATE), np.float32),
        partial(noise, -6.0),
        partial(noise, -20.0),
        partial(noise, -40.0),
        hum,
        partial(clicks, 1.0),
        partial(clicks, 0.3),
        partial(clicks, 0.01),  # a buzz
    ],
    ids=["silence", "loud noise", "noise", "soft noise", "hum", "clicks", "quick clicks", "buzz"],
)
def test_what_is_no_speech_is_not_clear_speech(sound: partial[Samples]) -> None:
    assert not is_clear_speech(sound())


def test_a_knock_in_a_quiet_room_is_no_speech() -> None:
    room = noise(-70.0)
    room[SAMPLE_RATE : SAMPLE_RATE + SAMPLE_RATE // 2] = 0.5 * hum(0.5)
    assert not is_clear_speech(room)


@pytest.mark.parametrize("samples", [0, 1, HOP - 1])
def test_less_than_a_hop_is_no_speech(samples: int) -> None:
    assert not is_clear_speech(np.ones(samples, np.float32))


def test_levels_are_those_of_the_hops_and_an_incomplete_one_is_left_out() -> None:
    full, tenth = np.ones(HOP, np.float32), np.full(HOP, 0.1, np.float32)
    samples = np.concatenate((full, tenth, 0 * full, full[: HOP - 1]))
    assert levels(samples) == pytest.approx([0.0, -20.0, -120.0], abs=0.01)


def test_speech_with_pauses_between_its_sentences_is_clear() -> None:
    """Half of this clip's stretches of RUT_S have 19 to 24 % of busy hops, against BUSY of
    25 %, and so has the whole (24.7 %): a rut over such speech is not noticed."""
    samples = read(CLIPS / f"{PAUSES}.flac")
    size = round(RUT_S * SAMPLE_RATE)
    stretches = range(0, len(samples) - size, SAMPLE_RATE)
    assert all(is_clear_speech(samples[start : start + size]) for start in stretches)
