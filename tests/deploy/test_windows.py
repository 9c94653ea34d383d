"""Where a file is cut, so that its parts can be transcribed side by side."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import CLIPS
from voxtide_server.engine import SAMPLE_RATE, Samples
from voxtide_server.files import BLOCK_SAMPLES
from voxtide_server.speech import HOP, levels
from voxtide_server.windows import MIN_S, PAUSE_S, Windows

_NOISE = np.random.default_rng(5).normal(0, 0.1, 1_000 * SAMPLE_RATE).astype(np.float32)


def voice(seconds: float, level_db: float = -20.0) -> Samples:
    """What is as loud as speech, without a gap."""
    scale = np.float32(10 ** ((level_db + 20) / 20))
    return _NOISE[: round(seconds * SAMPLE_RATE)] * scale


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def cut(audio: Samples) -> list[Samples]:
    """The windows of this audio, given block by block as `files.decode` yields it."""
    windows, done, pieces = Windows(), [], []
    for start in range(0, len(audio), BLOCK_SAMPLES):
        piece, ended = windows.push(audio[start : start + BLOCK_SAMPLES])
        pieces.append(piece)
        if ended:
            done.append(np.concatenate(pieces))
            pieces = []
    return [*done, np.concatenate([*pieces, windows.finish()])]


def cuts(audio: Samples) -> list[int]:
    """Positions of the cuts."""
    ends: list[int] = np.cumsum([len(window) for window in cut(audio)]).tolist()
    return ends[:-1]


def speech(*phrases: tuple[float, float]) -> Samples:
    """Phrases of so many seconds, each with so many seconds of silence after it."""
    pieces = [np.concatenate((voice(spoken), silence(gap))) for spoken, gap in phrases]
    return np.concatenate([np.empty(0, np.float32), *pieces])


def test_a_file_is_cut_in_the_first_pause_that_comes_late_enough() -> None:
    audio = speech((10.0, 2.0), (15.0, 1.0), (10.0, 1.0), (14.0, 0.0))
    (place,) = cuts(audio)
    assert 27.0 < place / SAMPLE_RATE < 28.0


def test_of_two_pauses_close_together_the_first_is_taken() -> None:
    (place,) = cuts(speech((26.6, 0.55), (0.15, 0.6), (10.0, 0.0)))
    assert 26.6 < place / SAMPLE_RATE < 27.15


def test_each_window_begins_to_count_anew() -> None:
    audio = speech(*[(9.0, 1.0)] * 30)
    *lengths, _ = [len(window) / SAMPLE_RATE for window in cut(audio)]
    assert len(lengths) == 10
    assert lengths == pytest.approx([30.0] * 10, abs=1.0)


def test_a_short_file_is_one_window() -> None:
    assert cuts(speech((1.0, 1.0), (20.0, 2.0))) == []


def test_speech_without_a_pause_is_one_window() -> None:
    assert cuts(voice(300.0)) == []
    assert cuts(speech(*[(0.7, PAUSE_S - 0.1)] * 300)) == [], "gaps between words are no pauses"


def test_a_pause_is_found_wherever_blocks_end() -> None:
    for offset in np.arange(0.0, 1.0, 0.07):
        spoken = 26.0 + offset
        (place,) = cuts(speech((spoken, 0.6), (10.0, 0.0)))
        assert spoken <= place / SAMPLE_RATE <= spoken + 0.6


@pytest.mark.parametrize("level_db", [-6.0, -20.0, -40.0, -55.0])
def test_steady_noise_is_not_cut(level_db: float) -> None:
    assert cuts(voice(200.0, level_db)) == []


@pytest.mark.parametrize("level_db", [-20.0, -35.0, -50.0])
def test_a_quiet_recording_is_cut_in_its_pauses_too(level_db: float) -> None:
    scale = np.float32(10 ** ((level_db + 20) / 20))
    audio = speech((26.0, 1.0), (26.0, 1.0), (5.0, 0.0)) * scale
    first, second = cuts(audio)
    assert 26.0 < first / SAMPLE_RATE < 27.0
    assert 53.0 < second / SAMPLE_RATE < 54.0


def test_the_noise_of_a_room_does_not_hide_pauses() -> None:
    audio = speech((26.0, 1.0), (26.0, 1.0), (5.0, 0.0))
    room = _NOISE[: len(audio)][::-1] * np.float32(10 ** (-30 / 20))
    assert [26 < place / SAMPLE_RATE % 27 < 27 for place in cuts(audio + room)] == [True, True]


def test_silence_is_cut_too() -> None:
    assert len(cut(silence(100.0))) >= 3


def test_recorded_speech_is_cut_between_clips_or_where_nothing_is_said() -> None:
    clips = [soundfile.read(path, dtype="float32")[0] for path in sorted(CLIPS.glob("*.flac"))]
    audio = np.concatenate([np.concatenate((clip, silence(0.6))) for clip in clips * 3])
    places = cuts(audio)
    assert len(places) >= 5
    for place in places:
        around = audio[place - round(0.2 * SAMPLE_RATE) : place + round(0.2 * SAMPLE_RATE)]
        assert np.sqrt(np.mean(np.square(around))) < 0.01


def test_what_is_held_does_not_grow_with_the_file() -> None:
    windows = Windows()
    for second in range(900):
        windows.push(_NOISE[second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE])
        assert len(windows._held) <= 2 * BLOCK_SAMPLES
        assert len(windows._levels) <= MIN_S * SAMPLE_RATE / HOP


def test_a_block_comes_out_with_the_next_one() -> None:
    windows = Windows()
    first, second = voice(1.0), voice(1.0, -30.0)
    assert len(windows.push(first)[0]) == 0
    assert np.array_equal(windows.push(second)[0], first)
    assert np.array_equal(windows.finish(), second)


PHRASES = st.lists(st.tuples(st.floats(0.2, 12.0), st.floats(0.0, 2.0)), min_size=1, max_size=25)


@settings(max_examples=60)
@given(phrases=PHRASES)
def test_windows_are_the_whole_file_and_no_phrase_is_cut(
    phrases: list[tuple[float, float]],
) -> None:
    audio = speech(*phrases)
    windows = cut(audio)
    assert np.array_equal(np.concatenate(windows), audio)
    assert all(len(window) >= MIN_S * SAMPLE_RATE for window in windows[:-1])
    quiet = pauses(phrases)
    for place in cuts(audio):
        assert any(start < place < end for start, end in quiet if end - start >= 0.4 * SAMPLE_RATE)


@settings(max_examples=40)
@given(phrases=PHRASES)
def test_a_window_goes_on_only_as_long_as_there_is_no_pause(
    phrases: list[tuple[float, float]],
) -> None:
    places = cuts(speech(*phrases))
    # Hops that are half silent count as loud, so a pause must be a bit longer to be sure.
    sure = [(s, e) for s, e in pauses(phrases) if e - s >= (PAUSE_S + 0.05) * SAMPLE_RATE]
    for start, end in pairwise([0, *places]):
        late = [s for s, _ in sure if s > start + MIN_S * SAMPLE_RATE]
        assert not late or end < late[0] + 2 * SAMPLE_RATE


def pauses(phrases: list[tuple[float, float]]) -> list[tuple[int, int]]:
    """Where `speech` is silent, from and to."""
    found, place = [], 0
    for spoken, gap in phrases:
        start = place + round(spoken * SAMPLE_RATE)
        place = start + round(gap * SAMPLE_RATE)
        found.append((start, place))
    return found


@pytest.mark.parametrize("spoken", [23.0, 23.5, 24.0])
def test_no_window_is_shorter_than_the_shortest(spoken: float) -> None:
    """With `_hops` at MIN_S, `_pause` looks into the block that was held back and into the
    new one from their beginning: windows of 23.3 s come of it."""
    first, *_ = cut(speech((spoken, 1.0), (25.0, 0.0)))
    assert len(first) >= MIN_S * SAMPLE_RATE


def test_a_voice_that_is_much_softer_than_another_is_not_cut() -> None:
    """Steady noise so far below a voice is a pause; a second voice, with its ups and downs,
    is none."""
    recording, _ = soundfile.read(CLIPS / "demo-piper-joe.flac", dtype="float32")
    loud = np.tile(recording, 2)[: 20 * SAMPLE_RATE]
    again = np.tile(recording, 5)
    for place in cuts(np.concatenate((loud, again * np.float32(10 ** (-26 / 20))))):
        at = place - len(loud)
        if at > 0:
            around = levels(again[at - SAMPLE_RATE // 5 : at + SAMPLE_RATE // 5])
            assert around.max() < np.percentile(levels(recording), 95) - 20
