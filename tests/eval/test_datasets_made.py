"""Silence and noise made on the fly, and utterances joined to long ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.eval.dataset_files import jsonl, recording
from voxtide_eval.datasets import DATASETS, Utterance, definition, load
from voxtide_eval.datasets.joining import Long
from voxtide_eval.datasets.made import RATE, Wordless
from voxtide_eval.manifest import Word

PIECE = 1_280


def heard(utterance: Utterance) -> np.ndarray:
    with utterance.audio.open() as source:
        assert source.rate == RATE
        pieces = [piece.samples for piece in source.pieces]
    assert {len(piece) for piece in pieces[:-1]} <= {PIECE}
    return np.concatenate(pieces)


def test_silence_has_no_words_and_no_sound() -> None:
    utterances = list(load("silence"))
    assert [u.seconds for u in utterances] == [1, 5, 10, 30, 60]
    assert {u.reference for u in utterances} == {""}
    for utterance in utterances[:3]:
        sound = heard(utterance)
        assert len(sound) == utterance.seconds * RATE
        assert not sound.any()


@pytest.mark.parametrize("name", ["noise-white", "noise-pink"])
def test_noise_is_as_loud_as_it_says_and_always_the_same(name: str) -> None:
    for utterance, level in zip(load(name), (-60, -50, -40, -30, -20), strict=True):
        sound = heard(utterance)
        assert str(level) in utterance.id
        assert len(sound) == utterance.seconds * RATE == 30 * RATE
        power = 10 * np.log10(np.mean(np.square(sound, dtype=np.float64)))
        assert power == pytest.approx(level, abs=0.3)
        assert np.array_equal(heard(utterance), sound)


def test_another_seed_is_another_noise() -> None:
    dataset = DATASETS["noise-white"]
    other = replace(dataset, source=Wordless("white", seed=1))
    assert not np.array_equal(heard(next(load(dataset))), heard(next(load(other))))


def test_levels_are_different_noises_too() -> None:
    quiet, louder = list(load("noise-white"))[:2]
    assert abs(np.corrcoef(heard(quiet), heard(louder))[0, 1]) < 0.01


@pytest.mark.parametrize(("name", "decibels_an_octave"), [("noise-white", 3), ("noise-pink", 0)])
def test_octaves_of_noise(name: str, decibels_an_octave: float) -> None:
    """White noise has twice the power in each higher octave, pink noise the same."""
    sound = heard(list(load(name))[-1])
    power = np.square(np.abs(np.fft.rfft(sound)))
    edges = [62.5 * 2**n for n in range(7)]
    places = [round(edge * len(sound) / RATE) for edge in edges]
    octaves = [power[a:b].sum() for a, b in pairwise(places)]
    slope = np.polyfit(range(len(octaves)), 10 * np.log10(octaves), 1)[0]
    assert slope == pytest.approx(decibels_an_octave, abs=0.5)


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """Five utterances of 0.5 s, three by ann, two by bob."""
    lines = []
    for number, speaker in enumerate(("ann", "ann", "ann", "bob", "bob")):
        recording(tmp_path / f"{number}.wav", 0.5)
        words = [{"word": "word", "start": 0.1, "end": 0.3}, {"word": str(number), "end": 0.4}]
        lines.append(
            {"audio": f"{number}.wav", "text": f"Word {number}.", "speaker": speaker}
            | {"words": words}
        )
    return jsonl(tmp_path / "set.jsonl", *lines)


def long(listing: Path, seconds: float) -> list[Utterance]:
    dataset = definition(str(listing))
    return list(load(replace(dataset, source=Long(dataset.source, seconds, gap_s=0.25))))


def test_utterances_of_a_speaker_are_joined(listing: Path) -> None:
    first, second = long(listing, 600)
    assert (first.id, first.speaker, first.reference) == (
        "0.wav+2",
        "ann",
        "Word 0. Word 1. Word 2.",
    )
    assert (second.id, second.reference) == ("3.wav+1", "Word 3. Word 4.")
    assert first.seconds == pytest.approx(2.0) == len(heard(first)) / RATE
    assert first.words[:2] == (Word("word", 0.1, 0.3), Word("0", 0.3, 0.4))
    assert first.words[-1] == Word("2", 1.8, 1.9)
    sound = heard(first)
    assert np.abs(sound[RATE // 2 + 1 : RATE * 3 // 4]).max() == 0  # the gap
    assert np.abs(sound[RATE * 3 // 4 + 100 :][:PIECE]).max() > 0.4


def test_a_long_one_ends_once_it_is_long_enough(listing: Path) -> None:
    assert [u.id for u in long(listing, 1.0)] == ["0.wav+1", "2.wav", "3.wav+1"]


def test_words_of_a_long_one_are_there_for_all_parts_or_not_at_all(listing: Path) -> None:
    lines = listing.read_text().splitlines()
    lines[1] = lines[1].replace('"words"', '"others"')
    listing.write_text("\n".join(lines))
    first, second = long(listing, 600)
    assert first.words == ()
    assert len(second.words) == 4


def test_a_sample_of_long_ones(listing: Path) -> None:
    dataset = definition(str(listing))
    joined = replace(dataset, source=Long(dataset.source, 1.0, gap_s=0.25))
    assert joined.source.count(joined, "test") == 3
    assert len(list(load(joined, limit=2, seed=0))) == 2
