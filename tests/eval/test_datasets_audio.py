"""Audio of datasets: streamed in pieces of 80 ms whatever it is made of."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from tests.eval.dataset_files import RATE, recording, tone
from voxtide_eval.datasets import DatasetError, as_file
from voxtide_eval.datasets.audio import Audio, Bytes, File, Joined, Made, seconds_of

PIECE = 1_280


def packed(seconds: float, kind: str = "WAV", channels: int = 1) -> bytes:
    file = io.BytesIO()
    data = np.repeat(tone(seconds)[:, None], channels, axis=1)
    soundfile.write(file, data, RATE, format=kind)
    return file.getvalue()


def heard(audio: Audio) -> tuple[int, list[np.ndarray], list[float]]:
    with audio.open() as source:
        pieces = list(source.pieces)
        return (
            source.rate,
            [piece.samples for piece in pieces],
            [piece.end for piece in pieces],
        )


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation at the best shift, up to 1."""
    size = len(one) + len(other)
    products = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)))
    return float(np.abs(products).max() / np.sqrt(np.sum(one**2) * np.sum(other**2)))


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_bytes_of_a_row_are_unpacked_piece_by_piece(kind: str) -> None:
    audio = Bytes(packed(1.0, kind), "row 1")
    rate, pieces, ends = heard(audio)
    assert rate == RATE
    assert {len(piece) for piece in pieces[:-1]} == {PIECE}
    assert ends[0] == 0.08
    assert seconds_of(audio) == pytest.approx(ends[-1])
    whole = np.concatenate(pieces)[:RATE]
    assert abs(ends[-1] - 1.0) < 0.1  # MP3 has whole frames
    assert likeness(whole, tone(1.0)) > 0.999


def test_channels_are_averaged() -> None:
    _, pieces, _ = heard(Bytes(packed(0.2, channels=2), "row 1"))
    assert np.concatenate(pieces) == pytest.approx(tone(0.2), abs=1e-3)


def test_bytes_that_are_no_audio() -> None:
    with pytest.raises(DatasetError, match="row 7: its audio cannot be read"):
        heard(Bytes(b"no audio at all", "row 7"))


def test_a_file(tmp_path: Path) -> None:
    audio = File(recording(tmp_path / "a.flac", 0.5))
    rate, pieces, ends = heard(audio)
    assert (rate, ends[-1], seconds_of(audio)) == (RATE, 0.5, 0.5)
    assert np.concatenate(pieces) == pytest.approx(tone(0.5), abs=1e-3)


def test_what_is_made_is_made_again_at_each_opening() -> None:
    def blocks() -> Iterator[np.ndarray]:
        yield from (tone(0.03), tone(0.3), tone(0.0), tone(0.01))

    audio = Made(RATE, blocks)
    _, pieces, ends = heard(audio)
    assert [len(piece) for piece in pieces] == [PIECE] * 4 + [round(0.34 * RATE) - 4 * PIECE]
    assert ends[-1] == pytest.approx(0.34)
    again = heard(audio)[1]
    assert np.concatenate(again) == pytest.approx(np.concatenate(pieces))


def test_joined_audio_has_silence_between_its_parts() -> None:
    parts = [Bytes(packed(0.5), "a"), Bytes(packed(0.25), "b")]
    rate, pieces, ends = heard(Joined(parts, 0.1))
    whole = np.concatenate(pieces)
    assert (rate, ends[-1]) == (RATE, pytest.approx(0.85))
    assert {len(piece) for piece in pieces[:-1]} == {PIECE}
    expected = np.concatenate((tone(0.5), np.zeros(RATE // 10), tone(0.25)))
    assert whole == pytest.approx(expected, abs=1e-3)


def test_audio_of_two_rates_is_not_joined(tmp_path: Path) -> None:
    parts = [File(recording(tmp_path / "a.wav")), File(recording(tmp_path / "b.wav", rate=8_000))]
    with pytest.raises(DatasetError, match="8000 Hz cannot be joined to audio of 16000 Hz"):
        heard(Joined(parts, 0.0))


def test_joined_audio_is_never_whole_in_memory() -> None:
    """A part is opened when the one before has been read."""
    opened: list[str] = []

    def blocks(name: str) -> Iterator[np.ndarray]:
        opened.append(name)
        yield tone(1.0)

    parts = [Made(RATE, lambda name=name: blocks(name)) for name in ("a", "b", "c")]
    with Joined(parts, 0.0).open() as source:
        opened.clear()
        next(source.pieces)
        assert opened == ["a"]


def test_as_file_is_the_file_itself_where_there_is_one(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.flac")
    with as_file(File(path)) as file:
        assert file == path
    assert path.is_file()


def test_as_file_is_a_wav_for_a_while_where_there_is_none() -> None:
    with as_file(Bytes(packed(0.5, "FLAC"), "row 1")) as file:
        read, rate = soundfile.read(file, dtype="float32")
        assert rate == RATE
        assert soundfile.info(file).subtype == "PCM_16"
        assert read == pytest.approx(tone(0.5), abs=1e-3)
    assert not file.exists()


def test_telephone_audio_of_packages(tmp_path: Path) -> None:
    """G.722, as Asterisk's prompts are: 16 kHz, two samples to a byte, and no header."""
    path = tmp_path / "prompt.g722"
    with av.open(path, "w", format="g722") as container:
        stream = container.add_stream("g722", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.asarray(tone(1.0) * 32767, np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    rate, pieces, ends = heard(File(path))
    assert path.stat().st_size * 2 == RATE
    assert (rate, ends[-1], seconds_of(File(path))) == (RATE, 1.0, 1.0)
    assert likeness(np.concatenate(pieces), tone(1.0)) > 0.99


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3"])
def test_a_long_file_is_never_in_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"long.{kind.lower()}"
    soundfile.write(path, tone(100), RATE, format=kind)
    tracemalloc.start()
    try:
        with File(path).open() as source:
            last = 0.0
            for piece in source.pieces:
                last = piece.end
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert last == pytest.approx(100, abs=0.2)
    assert peak < 1e6  # its samples are 6.4 MB


def test_a_file_that_is_no_audio(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"no audio at all")
    with pytest.raises(DatasetError, match=r"a\.mp3: its audio cannot be read"):
        heard(File(tmp_path / "a.mp3"))
    with pytest.raises(FileNotFoundError):
        heard(File(tmp_path / "b.wav"))
