import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.engine import LAYOUT
from voxtide_server.audio import ENCODINGS, RATES, Framer, Resampler, Tail, decode
from voxtide_server.engine import FRAME_SAMPLES, Samples
from voxtide_server.errors import BadInput


def ramp(n: int) -> Samples:
    return np.arange(1, n + 1, dtype=np.float32)


@pytest.mark.parametrize(
    ("encoding", "values", "kind"),
    [
        ("pcm_s16le", [-32768, 0, 16384], "<i2"),
        ("pcm_s32le", [-(2**31), 0, 2**30], "<i4"),
        ("pcm_f16le", [-1.0, 0.0, 0.5], "<f2"),
        ("pcm_f32le", [-7.0, 0.0, 0.5], "<f4"),
    ],
)
def test_samples_are_scaled_to_one(encoding: str, values: list[float], kind: str) -> None:
    samples = decode(np.array(values, kind).tobytes(), encoding, "audio")
    assert samples.tolist() == [-1.0, 0.0, 0.5]
    assert samples.dtype == np.float32


@pytest.mark.parametrize(("encoding", "subtype"), [("pcm_mulaw", "ULAW"), ("pcm_alaw", "ALAW")])
def test_telephone_audio_is_decoded_as_libsndfile_does(encoding: str, subtype: str) -> None:
    data = bytes(range(256))
    reference, _ = soundfile.read(
        io.BytesIO(data),
        dtype="float32",
        format="RAW",
        subtype=subtype,
        samplerate=8000,
        channels=1,
    )
    assert decode(data, encoding, "audio").tolist() == reference.tolist()


@pytest.mark.parametrize("encoding", [e for e in ENCODINGS if "law" not in e])
def test_half_a_sample_is_refused_with_the_field(encoding: str) -> None:
    with pytest.raises(BadInput, match="middle of a sample") as caught:
        decode(b"abc", encoding, "audio")
    assert (caught.value.code, caught.value.param) == ("invalid_audio", "audio")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float) -> None:
    for encoding, kind in (("pcm_f16le", "<f2"), ("pcm_f32le", "<f4")):
        with pytest.raises(BadInput, match="no numbers"):
            decode(np.array([0, value], kind).tobytes(), encoding, "audio")


@given(st.lists(st.integers(0, 9_000), max_size=20))
def test_windows_do_not_depend_on_the_pieces(sizes: list[int]) -> None:
    audio = ramp(sum(sizes))
    framer = Framer(LAYOUT)
    cut = []
    position = 0
    for size in sizes:
        cut += list(framer.push(audio[position : position + size]))
        position += size
    whole = list(Framer(LAYOUT).push(audio))
    assert [w.tolist() for w in cut] == [w.tolist() for w in whole]


def test_the_first_window_holds_the_prompt_and_later_ones_a_frame_each() -> None:
    first = (LAYOUT.delay + 1) * FRAME_SAMPLES + LAYOUT.look_ahead
    framer = Framer(LAYOUT)
    assert not list(framer.push(ramp(first - 1)))
    (window,) = framer.push(ramp(1))
    assert len(window) == LAYOUT.left_pad * FRAME_SAMPLES + first

    audio = ramp(first + 3 * FRAME_SAMPLES)
    padded = np.concatenate((np.zeros(LAYOUT.left_pad * FRAME_SAMPLES, np.float32), audio))
    windows = list(Framer(LAYOUT).push(audio))
    assert len(windows) == 4
    for number, window in enumerate(windows[1:], 1):
        end = (LAYOUT.prompt + number) * FRAME_SAMPLES + LAYOUT.look_ahead
        start = (LAYOUT.prompt + number - 1) * FRAME_SAMPLES - LAYOUT.look_back
        assert window.tolist() == padded[start:end].tolist()


def test_the_end_brings_a_token_for_every_frame_that_holds_audio() -> None:
    for samples in (1, FRAME_SAMPLES, 10 * FRAME_SAMPLES + 1):
        framer = Framer(LAYOUT)
        windows = len(list(framer.push(ramp(samples)))) + len(list(framer.finish()))
        assert windows * FRAME_SAMPLES >= samples


@pytest.mark.parametrize("rate", RATES)
def test_resampling_in_pieces_keeps_length_and_tone(rate: int) -> None:
    seconds = 2.0
    time = np.arange(round(rate * seconds)) / rate
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    resampler = Resampler(rate)
    pieces = [resampler.push(piece) for piece in np.array_split(tone, 37)]
    out = np.concatenate([*pieces, resampler.flush()])
    assert abs(len(out) - 16_000 * seconds) <= 1
    expected = np.sin(2 * np.pi * 440 * np.arange(len(out)) / 16_000)
    middle = slice(1_000, -1_000)  # the filter rings at both ends
    assert np.abs(out - expected)[middle].max() < 0.01


def test_a_flushed_resampler_starts_anew() -> None:
    resampler = Resampler(24_000)
    first = np.concatenate((resampler.push(ramp(2_400)), resampler.flush()))
    second = np.concatenate((resampler.push(ramp(2_400)), resampler.flush()))
    assert first.tolist() == second.tolist()
    assert not len(resampler.flush())


@given(st.lists(st.integers(1, 50), min_size=1), st.data())
def test_the_tail_gives_back_what_it_was_given(sizes: list[int], data: st.DataObject) -> None:
    tail, whole = Tail(), ramp(sum(sizes))
    position = 0
    for size in sizes:
        tail.push(whole[position : position + size])
        position += size
    start = data.draw(st.integers(0, position))
    tail.forget(start)
    end = data.draw(st.integers(start, position))
    assert tail.between(start, end).tolist() == whole[start:end].tolist()


def test_the_tail_lets_go_of_what_is_forgotten() -> None:
    tail = Tail()
    for _ in range(1_000):
        tail.push(ramp(100))
        tail.forget(tail.end - 250)
    with pytest.raises(AssertionError):
        tail.between(0, 10)
    assert len(tail.between(tail.end - 250, tail.end)) == 250
