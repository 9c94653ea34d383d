"""What goes on the wire for what callers have."""

import sys

import numpy as np
import pytest

from voxtide.audio import AudioEncoder

WIRE = (16000, 8000, 24000, 48000)


def encoder_of(rate, channels=1, encoding="pcm16"):
    return AudioEncoder(rate, channels, encoding, WIRE)


TONE = (8000 * np.sin(np.arange(44100) * 2 * np.pi * 440 / 44100)).astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_wire_rates_are_sent_as_they_are(rate):
    encoder = encoder_of(rate)
    assert encoder.rate == rate
    assert encoder.encode(TONE) + encoder.drain() == TONE.tobytes()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_and_length_lose_no_sample(kind):
    pcm, encoder = TONE[:1000].tobytes(), encoder_of(16000)
    chunks = [pcm[:1], pcm[1:2], pcm[2:5], b"", pcm[5:]]
    assert b"".join(encoder.encode(kind(chunk)) for chunk in chunks) == pcm


def test_floats_are_scaled_rounded_and_clipped():
    audio = np.array([0, 0.5, -1, 1, 2, -2, 0.6 / 32768], np.float32)
    sent = np.frombuffer(encoder_of(16000).encode(audio), "<i2")
    assert sent.tolist() == [0, 16384, -32768, 32767, 32767, -32768, 1]


@pytest.mark.parametrize("rate", [11025, 22050, 32000, 44100])
def test_other_rates_are_resampled_as_one_stream(rate):
    """Cut into small chunks or not, the same samples go out, and none is missing."""
    whole, pieces = encoder_of(rate), encoder_of(rate)
    expected = whole.encode(TONE) + whole.drain()
    sent = b"".join(pieces.encode(chunk) for chunk in np.array_split(TONE, 50)) + pieces.drain()
    assert pieces.rate == 16000
    assert abs(len(expected) / 2 - len(TONE) * 16000 / rate) <= 1
    difference = np.frombuffer(sent, "<i2").astype(int) - np.frombuffer(expected, "<i2")
    assert abs(difference).max() <= 3, "more than dither"


def test_draining_starts_afresh():
    encoder = encoder_of(44100)
    assert encoder.drain() == b""
    first = encoder.encode(TONE) + encoder.drain()
    assert len(encoder.encode(TONE) + encoder.drain()) == len(first)


@pytest.mark.parametrize(
    ("audio", "error", "match"),
    [
        ("text", TypeError, "bytes or a numpy array, not str"),
        ([0.0], TypeError, "not list"),
        (np.zeros((10, 2, 2), np.int16), ValueError, r"of shape \(samples,\) or"),
        (np.zeros(10, np.int32), TypeError, "int16 or float, not int32"),
        (np.array([0, np.nan]), ValueError, "not finite"),
    ],
)
def test_other_chunks_are_refused_with_a_reason(audio, error, match):
    with pytest.raises(error, match=match):
        encoder_of(16000).encode(audio)


@pytest.mark.parametrize("rate", [0, -1, 999, 384_001])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match="sample_rate"):
        encoder_of(rate)


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 400])
def test_channels_are_averaged_wherever_chunks_end(cut):
    left, right = TONE[:400], np.roll(TONE[:400], 9)
    stereo = np.stack((left, right), axis=1)
    mean = (left.astype(int) + right) // 2
    encoder, pcm = encoder_of(16000, channels=2), stereo.tobytes()
    sent = b"".join(encoder.encode(pcm[at : at + cut]) for at in range(0, len(pcm), cut))
    assert np.frombuffer(sent, "<i2").tolist() == mean.tolist()
    floats = np.frombuffer(encoder_of(16000).encode(stereo / 32768), "<i2")
    assert abs(floats - mean).max() <= 1


def test_g711_is_sent_as_it_is():
    encoder = encoder_of(8000, encoding="mulaw")
    assert (encoder.rate, encoder.sample_bytes) == (8000, 1)
    assert encoder.encode(b"\xff\x00\x7f") + encoder.drain() == b"\xff\x00\x7f"
    with pytest.raises(TypeError, match="must be bytes, not ndarray"):
        encoder.encode(TONE)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((16000, 1, "mulaw"), "one channel at 8000 Hz"),
        ((8000, 2, "alaw"), "one channel at 8000 Hz"),
        ((16000, 0), "channels must be from 1 to 64"),
        ((16000, 1, "opus"), "encoding must be pcm16, mulaw or alaw"),
    ],
)
def test_forms_that_there_are_not_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        encoder_of(*arguments)


def test_where_nothing_can_resample_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    assert encoder_of(16000).encode(b"ab") == b"ab"
    with pytest.raises(ValueError, match=r"44100 Hz has to be resampled: pip install .*audio"):
        encoder_of(44100)
