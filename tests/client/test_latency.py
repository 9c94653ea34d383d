"""The figures of the demo."""

import pytest

from voxtide.captions import TimedWord
from voxtide.command.latency import Measures, measure
from voxtide.command.recording import Recording

RECORDING = Recording("seven eight nine", (1.0, 2.0, 3.0), 0.5, "a voice")


def heard(*words):
    return [TimedWord(text, None, arrived) for text, arrived in words]


def test_all_words_right():
    measures = measure(RECORDING, heard(("Seven,", 1.5), ("eight", 2.5), ("nine.", 3.8)))
    assert measures == Measures(0.0, 0, 3, 3, 1.0, pytest.approx(0.6))


def test_only_recognised_words_have_a_latency():
    words = heard(("oh", 0.9), ("seven", 1.5), ("late", 9.0), ("nine", 3.7))
    measures = measure(RECORDING, words)
    assert (measures.errors, measures.words_matched) == (2, 2)
    assert measures.word_error_rate == pytest.approx(2 / 3)
    assert measures.time_to_first_word == pytest.approx(0.4)
    assert measures.mean_word_latency == pytest.approx(0.6)


def test_nothing_heard():
    assert measure(RECORDING, []) == Measures(1.0, 3, 3, 0, None, None)


def test_the_bundled_recording_describes_itself():
    recording = Recording.bundled()
    assert len(recording.word_ends) == len(recording.text.split())
    assert sorted(recording.word_ends) == list(recording.word_ends)
    assert 0 <= recording.speech_start < recording.word_ends[0]
