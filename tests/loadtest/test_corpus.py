"""Corpora: what can be read, and what is said of what cannot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxtide_loadtest.corpus import BadCorpus, audio_seconds, load

FIXTURES = Path(__file__).parents[1] / "fixtures" / "nano"


def recording(path: Path, rate: int = 16_000, channels: int = 1) -> None:
    """A second: silence, then from the middle on a tone."""
    tone = np.sin(np.arange(rate) / rate * 440 * 2 * np.pi) * (np.arange(rate) >= rate / 2) * 0.5
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)


def test_voxtides_own_recording_is_there_without_a_corpus() -> None:
    (clip,) = load("")
    assert clip.words is not None
    assert clip.ends is not None
    assert len(clip.words) == len(clip.ends) > 20
    assert 0 < clip.begins < clip.ends[0]


def test_nanos_recordings_are_a_corpus() -> None:
    clips = {clip.id: clip for clip in load(str(FIXTURES))}
    clip = clips["sentence-127-hibari-heart.flac"]
    assert clip.words is not None
    assert " ".join(clip.words) == "start timer for three minutes turn on the kitchen light"
    assert clip.ends is not None
    assert clip.ends[-1] == 3.621
    assert audio_seconds(list(clips.values()), 16_000) > 60


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100])
def test_a_clip_is_cut_into_whole_frames_at_any_rate(tmp_path: Path, rate: int) -> None:
    recording(tmp_path / "a.wav", rate=22_050, channels=2)
    (clip,) = load(str(tmp_path))
    frames = clip.frames(rate)
    assert len(frames) == 13  # 1 s is 12.5 frames
    assert {len(frame) for frame in frames} == {2 * round(rate * 0.08)}
    assert np.abs(np.frombuffer(frames[2], "<i2")).max() < 100
    assert np.abs(np.frombuffer(frames[9], "<i2")).max() > 15_000
    assert clip.frames(rate) is frames
    assert clip.begins == pytest.approx(0.5, abs=0.01)


def test_a_folder_has_words_beside_its_recordings(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    recording(tmp_path / "b.flac")
    (tmp_path / "b.txt").write_text("Yes, please.")
    first, second = load(str(tmp_path))
    assert first.words is None
    assert second.words == ("yes", "please")
    assert second.ends is None


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("{", "no JSON"),
        ("[]", "`audio`"),
        ('{"audio": "none.wav"}', "there is no"),
        ('{"audio": "a.wav", "words": [{"word": "a", "end": "x"}]}', "`words.end`"),
        ('{"audio": "a.wav", "words": [{"word": "a", "end": -1}]}', "`words.end`"),
        ('{"audio": "a.wav", "text": "b", "words": [{"word": "a", "end": 1}]}', "those of `text`"),
        (
            '{"audio": "a.wav", "words": [{"word": "a", "end": 1}, {"word": "b", "end": 0.5}]}',
            "one after the other",
        ),
        ('{"audio": "a.wav", "speech_start": true}', "`speech_start`"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, row: str, named: str) -> None:
    recording(tmp_path / "a.wav")
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(f"\n{json.dumps({'audio': 'a.wav'})}\n{row}\n")
    with pytest.raises(BadCorpus, match=named) as bad:
        load(str(manifest))
    assert "manifest.jsonl:3" in str(bad.value)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no")
    with pytest.raises(BadCorpus, match=r"a\.wav"):
        load(str(tmp_path))
    with pytest.raises(BadCorpus, match="no such file"):
        load(str(tmp_path / "none"))
    (tmp_path / "a.wav").unlink()
    with pytest.raises(BadCorpus, match="no recordings"):
        load(str(tmp_path))
