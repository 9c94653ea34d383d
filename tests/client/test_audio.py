"""What goes on the wire for what callers have."""

import numpy as np
import pytest

from voxtide.audio import PcmEncoder

TONE = (8000 * np.sin(np.arange(44100) * 2 * np.pi * 440 / 44100)).astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_wire_rates_are_sent_as_they_are(rate):
    encoder = PcmEncoder(rate)
    assert encoder.rate == rate
    assert encoder.encode(TONE) + encoder.drain() == TONE.tobytes()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_and_length_lose_no_sample(kind):
    pcm, encoder = TONE[:1000].tobytes(), PcmEncoder(16000)
    chunks = [pcm[:1], pcm[1:2], pcm[2:5], b"", pcm[5:]]
    assert b"".join(encoder.encode(kind(chunk)) for chunk in chunks) == pcm


def test_floats_are_scaled_rounded_and_clipped():
    audio = np.array([0, 0.5, -1, 1, 2, -2, 0.6 / 32768], np.float32)
    sent = np.frombuffer(PcmEncoder(16000).encode(audio), "<i2")
    assert sent.tolist() == [0, 16384, -32768, 32767, 32767, -32768, 1]


@pytest.mark.parametrize("rate", [11025, 22050, 32000, 44100])
def test_other_rates_are_resampled_as_one_stream(rate):
    """Cut into small chunks or not, the same samples go out, and none is missing."""
    whole, pieces = PcmEncoder(rate), PcmEncoder(rate)
    expected = whole.encode(TONE) + whole.drain()
    sent = b"".join(pieces.encode(chunk) for chunk in np.array_split(TONE, 50)) + pieces.drain()
    assert pieces.rate == 16000
    assert abs(len(expected) / 2 - len(TONE) * 16000 / rate) <= 1
    difference = np.frombuffer(sent, "<i2").astype(int) - np.frombuffer(expected, "<i2")
    assert abs(difference).max() <= 3, "more than dither"


def test_draining_starts_afresh():
    encoder = PcmEncoder(44100)
    assert encoder.drain() == b""
    first = encoder.encode(TONE) + encoder.drain()
    assert len(encoder.encode(TONE) + encoder.drain()) == len(first)


@pytest.mark.parametrize(
    ("audio", "error", "match"),
    [
        ("text", TypeError, "bytes or a numpy array, not str"),
        ([0.0], TypeError, "not list"),
        (np.zeros((10, 2), np.int16), ValueError, r"mono, of shape \(samples,\)"),
        (np.zeros(10, np.int32), TypeError, "int16 or float, not int32"),
        (np.array([0, np.nan]), ValueError, "not finite"),
    ],
)
def test_other_chunks_are_refused_with_a_reason(audio, error, match):
    with pytest.raises(error, match=match):
        PcmEncoder(16000).encode(audio)


@pytest.mark.parametrize("rate", [0, -1, 999, 384_001])
def test_rates_out_of_range_are_refused(rate):
    with pytest.raises(ValueError, match="sample_rate"):
        PcmEncoder(rate)
