"""Where speech begins and ends, by energy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import load_clips
from tests.fakes.engine import say, silence
from tests.integration.audio import pcm16
from voxtide_server.endpointing import Change, Detection, Endpointer
from voxtide_server.engine import Samples

STARTED, STOPPED, IDLE = Change.STARTED, Change.STOPPED, Change.IDLE


def changes(*pieces: Samples, detection: Detection | None = None) -> list[tuple[Change, float]]:
    """What changes in this audio, and where."""
    endpointer = Endpointer(detection or Detection())
    found, position = [], 0
    for piece in pieces:
        for part, change in endpointer.push(piece):
            position += len(part)
            if change is not None:
                found.append((change, round(position / 16_000, 3)))
    assert position == sum(map(len, pieces)), "no sample is lost or doubled"
    return found


def noise(seconds: float, level_db: float) -> Samples:
    samples = np.random.default_rng(1).normal(0, 10 ** (level_db / 20), round(seconds * 16_000))
    return samples.astype(np.float32)


SPEECH = say(900, 1.0)


def test_speech_starts_within_60_ms_and_stops_after_the_silence() -> None:
    found = changes(silence(1.0), SPEECH, silence(1.0))
    assert found == [(STARTED, 1.06), (STOPPED, 2.5)]


@settings(max_examples=50)
@given(cuts=st.lists(st.integers(0, 48_000), max_size=20))
def test_it_does_not_depend_on_the_pieces(cuts: list[int]) -> None:
    audio = np.concatenate((silence(0.5), SPEECH, silence(0.7), SPEECH, silence(0.1)))
    assert changes(*np.split(audio, sorted(cuts))) == changes(audio)


def test_a_pause_shorter_than_the_silence_is_part_of_the_speech() -> None:
    assert changes(SPEECH, silence(0.4), SPEECH, silence(1.0)) == [(STARTED, 0.06), (STOPPED, 2.9)]


def test_clicks_are_no_speech_and_do_not_keep_a_turn_open() -> None:
    click = silence(0.3)
    click[:160] = 0.9
    assert changes(*[click] * 10) == []
    assert changes(SPEECH, *[click] * 10)[-1][0] is STOPPED


@pytest.mark.parametrize("level_db", [-60.0, -45.0, -35.0])
def test_steady_noise_is_no_speech_once_it_is_known(level_db: float) -> None:
    background = noise(60.0, level_db)
    found = changes(background)
    assert not found or found[-1][0] is STOPPED
    assert not [at for _, at in found if at > 25], "it rises a decibel a second"
    speech = np.concatenate((silence(50.0), SPEECH, silence(9.0))) + background
    late = [(change, at) for change, at in changes(speech) if at > 45]
    assert [change for change, _ in late] == [STARTED, STOPPED]
    assert [at for _, at in late] == pytest.approx([50.06, 51.5], abs=0.05)


def test_a_higher_threshold_asks_for_louder_speech() -> None:
    soft = noise(1.0, -52.0)
    background = noise(1.0, -63.0)
    for threshold, heard in ((0.0, True), (1.0, False)):
        found = changes(background, soft, background, detection=Detection(threshold))
        assert bool(found) == heard


def test_nobody_speaking_is_told_once_and_again_after_as_long() -> None:
    found = changes(silence(12.0), detection=Detection(idle_s=5.0))
    assert found == [(IDLE, 5.0), (IDLE, 10.0)]


def test_the_onset_lies_before_the_change_by_the_padding() -> None:
    endpointer = Endpointer(Detection(prefix_s=0.3))
    parts = list(endpointer.push(np.concatenate((silence(1.0), SPEECH))))
    assert parts[0][1] is STARTED
    assert endpointer.onset_s == pytest.approx(0.06 + 0.3)


@pytest.mark.parametrize(
    "clip", [clip for clip in load_clips() if clip.ends], ids=lambda clip: clip.path.stem
)
def test_recordings_start_before_their_first_word_ends_and_stop_after_the_last(clip) -> None:  # type: ignore[no-untyped-def]
    audio = pcm16(clip.path).astype(np.float32) / 32768
    found = changes(silence(0.5), audio, silence(2.0), detection=Detection(silence_s=1.0))
    assert found[0][0] is STARTED
    assert found[0][1] <= clip.ends[0] + 0.5
    assert found[-1][0] is STOPPED
    assert found[-1][1] >= clip.ends[-1] + 0.5
