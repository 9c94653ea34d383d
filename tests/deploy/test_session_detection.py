"""Turns that end by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.drive import Drive, heard, text
from tests.fakes.engine import LAYOUT, say, silence
from voxtide_server.endpointing import Detection
from voxtide_server.events import (
    Audio,
    Commit,
    Committed,
    Completed,
    Delta,
    Detect,
    IdleTimeout,
    Resume,
    SpeechStarted,
    SpeechStopped,
)


def detecting(detection: Detection | None = None) -> Drive:
    drive = Drive()
    drive.command(Detect(detection or Detection()))
    return drive


def noise(seconds: float) -> np.ndarray:  # type: ignore[type-arg]
    """As loud as speech, and without words: the fake engine hears none."""
    return np.tile(np.float32([0.2, 0.0]), round(seconds * 8_000))


def test_turns_end_after_a_silence_and_events_come_in_order() -> None:
    drive = detecting()
    for number in (900, 901):
        drive.say(*np.array_split(np.concatenate((silence(0.5), say(number), silence(2.0))), 35))
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [text(900), text(901)]
    kinds = [type(e) for e in drive.events if not isinstance(e, Delta)]
    one = [SpeechStarted, SpeechStopped, Committed]
    assert [k for k in kinds if k in one] == one * 2
    started = [e.position for e in drive.events if isinstance(e, SpeechStarted)]
    stopped = [e.position for e in drive.events if isinstance(e, SpeechStopped)]
    assert started == pytest.approx([0.2, 3.0], abs=0.03)
    assert stopped == pytest.approx([1.3, 4.1], abs=0.03)
    turns = [(f.start, f.end) for f in drive.finals() if isinstance(f, Completed)]
    assert [end for _, end in turns] == pytest.approx(stopped)


def test_a_pause_in_what_another_session_told_ends_no_turn() -> None:
    """The turn went on after it there; this session hears it for the sake of what follows."""
    drive = Drive()
    drive.command(Resume(0.0, None, 0.0, words_after=3.0))
    drive.command(Detect(Detection()))
    drive.say(*np.array_split(np.concatenate((silence(0.5), say(900), silence(2.2))), 35))
    assert not drive.finals()
    drive.say(*np.array_split(np.concatenate((say(901), silence(2.0))), 35))
    (final,) = drive.finals()
    assert isinstance(final, Completed)
    assert (final.text, final.start) == (text(901), 0.0)


def test_a_turn_whose_words_another_session_told_ends_in_noise_too() -> None:
    audio = np.array_split(np.concatenate((silence(0.5), say(900), noise(20.0))), 250)
    alone = detecting()
    alone.say(*audio)
    drive = Drive()
    drive.command(Resume(0.0, None, 0.0, words_after=1.1))
    drive.command(Detect(Detection()))
    drive.say(*audio)
    (first, *_), (resumed, *_) = alone.finals(), drive.finals()
    assert isinstance(first, Completed)
    assert isinstance(resumed, Completed)
    assert (first.text, resumed.text) == (text(900), "")
    assert resumed.end == pytest.approx(first.end, abs=0.5)


def test_the_silence_that_ended_a_turn_is_not_heard_twice() -> None:
    """What is added after it: 17 frames in all, and never less than the delay needs."""
    added = []
    for silence_s in (0.1, 0.5, 3.0):
        drive = detecting(Detection(silence_s=silence_s))
        drive.say(silence(0.6), say(900, 0.4), *[silence(0.02)] * round(silence_s / 0.02 - 2))
        before = sum(stream.windows for stream in drive.listeners.values())
        while not drive.finals():
            drive.say(silence(0.02))
        (final,) = drive.finals()
        assert isinstance(final, Completed)
        assert final.text == text(900)
        after = sum(stream.windows for stream in drive.listeners.values())
        added.append(after - before)
    due = [LAYOUT.right_pad - 1, LAYOUT.right_pad - 6, LAYOUT.delay + 1]
    # The rest of the silence came after `before` too.
    assert all(0 <= more - least <= 2 for more, least in zip(added, due, strict=True))


def test_audio_in_one_message_is_cut_into_its_turns() -> None:
    drive = detecting()
    numbers = range(900, 905)
    drive.say(np.concatenate([np.concatenate((say(n), silence(1.0))) for n in numbers]))
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [
        text(n) for n in numbers
    ]


def test_a_client_may_commit_all_the_same() -> None:
    drive = detecting()
    drive.say(say(900), silence(0.1))
    drive.command(Commit())
    drive.answer()
    drive.say(silence(1.0))
    finals = [f.text for f in drive.finals() if isinstance(f, Completed)]
    assert finals[0] == text(900)
    assert finals[1:] in ([], [""]), "the rest of the silence is a turn of its own, if any"


def test_speech_that_is_too_soft_for_energy_has_its_turn_too() -> None:
    drive = detecting()
    drive.say(silence(0.5), say(1), *[silence(0.5)] * 8)
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [text(1)]
    kinds = [type(e) for e in drive.events]
    assert kinds.index(SpeechStarted) < kinds.index(Delta) < kinds.index(SpeechStopped)


def test_noise_that_sounds_like_speech_does_not_keep_a_turn_open() -> None:
    drive = detecting()
    drive.say(say(900), *np.array_split(noise(6.0), 60))
    assert [f.text for f in drive.finals() if isinstance(f, Completed)][:1] == [text(900)]


def test_the_end_of_a_sentence_needs_half_the_silence() -> None:
    ends = []
    for semantic in (False, True):
        drive = detecting(Detection(silence_s=1.0, semantic=semantic))
        drive.session._vocabulary.piece = lambda token: b" stop." if token >= 100 else b""  # type: ignore[method-assign]
        drive.say(say(900), *np.array_split(silence(3.0), 60))
        ends.append(next(f.end for f in drive.finals() if isinstance(f, Completed)))
    assert ends == pytest.approx([1.3, 0.8], abs=0.25)
    assert ends[1] < ends[0]


def test_nobody_speaking_for_long_ends_a_turn_with_its_own_event() -> None:
    drive = detecting(Detection(idle_s=5.0))
    drive.say(*[silence(0.5)] * 22)
    told = [(e.start, e.end) for e in drive.events if isinstance(e, IdleTimeout)]
    assert np.array(told) == pytest.approx(np.array([(0.0, 5.0), (5.0, 10.0)]))
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == ["", ""]
    assert not any(isinstance(e, SpeechStarted | SpeechStopped) for e in drive.events)


def test_detection_may_be_switched_off_and_on_in_mid_audio() -> None:
    drive = detecting()
    drive.say(say(900), silence(0.2))
    drive.command(Detect(None))
    drive.say(silence(2.0), say(901), silence(1.0))
    assert not drive.finals()
    drive.command(Detect(Detection()))
    drive.say(say(902), silence(1.0))
    assert [f.text for f in drive.finals() if isinstance(f, Completed)] == [text(900, 901, 902)]


@settings(max_examples=40)
@given(
    gaps=st.lists(st.floats(0.1, 2.0), min_size=1, max_size=12),
    cut=st.integers(100, 20_000),
    lag=st.integers(1, 40),
)
def test_no_word_is_lost_or_doubled_wherever_turns_end(
    gaps: list[float], cut: int, lag: int
) -> None:
    drive = detecting()
    numbers = range(900, 900 + len(gaps))
    audio = np.concatenate(
        [part for n, gap in zip(numbers, gaps, strict=True) for part in (say(n), silence(gap))]
    )
    for start in range(0, len(audio), cut):
        drive.command(Audio(audio[start : start + cut]))
        drive.answer(most=lag)
    drive.command(Commit())
    drive.answer()
    assert heard(drive).split() == text(*numbers).split()
    finals = [f.text for f in drive.finals() if isinstance(f, Completed)]
    assert " ".join(finals).split() == text(*numbers).split()
    assert not drive.streams
