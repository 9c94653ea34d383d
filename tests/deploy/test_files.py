"""What happens to an audio file that somebody uploads."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voxtide_server.files import AudioFileError, decode

RATE = 16_000


def melody(seconds: float, rate: int) -> np.ndarray:
    """A tone that changes its pitch five times a second, float32, shape (n,)."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 200.0 + 150.0 * ((5 * time).astype(int) % 6)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    return (0.4 * np.sin(phase)).astype(np.float32)


def read(source: Path | io.BytesIO, max_seconds: float = 60.0) -> np.ndarray:
    blocks = list(decode(source, max_seconds=max_seconds))
    assert all(block.dtype == np.float32 for block in blocks)
    assert all(len(block) == RATE for block in blocks[:-1])
    return np.concatenate(blocks)


def code_of(source: Path | io.BytesIO, max_seconds: float = 60.0) -> str:
    with pytest.raises(AudioFileError) as caught:
        read(source, max_seconds)
    assert caught.value.message.endswith(".")
    return caught.value.code


def write_sound(path: Path, rate: int, channels: int, **format_: str) -> None:
    tone = melody(3.3, rate)
    soundfile.write(path, np.stack([tone] * channels, axis=1), rate, **format_)


def write_av(path: Path, codec: str, rate: int, *, sound: bool = True, video: bool = False) -> None:
    """Encode the melody with FFmpeg, or a grey picture, or both."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10) if video else None
        if picture is not None:
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
        voice = container.add_stream(codec, rate=rate, layout="stereo") if sound else None
        if picture is not None:
            for _ in range(33):
                grey = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8))
                container.mux(picture.encode(grey))
            container.mux(picture.encode(None))
        if voice is not None:
            both = np.repeat((melody(3.3, rate) * 32767).astype(np.int16), 2)[None]
            frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            container.mux(voice.encode(frame))
            container.mux(voice.encode(None))


Writer = Callable[[Path], None]


def sound(rate: int, channels: int = 1, **format_: str) -> Writer:
    return lambda path: write_sound(path, rate, channels, **format_)


def ffmpeg(codec: str, rate: int, *, video: bool = False) -> Writer:
    return lambda path: write_av(path, codec, rate, video=video)


FORMATS: dict[str, Writer] = {
    "a16.wav": sound(16_000),
    "a44.wav": sound(44_100, 2, subtype="PCM_24"),
    "a8u.wav": sound(8_000, subtype="PCM_U8"),
    "a48f.wav": sound(48_000, subtype="FLOAT"),
    "ulaw.wav": sound(8_000, subtype="ULAW"),
    "six.wav": sound(48_000, 6),
    "a.flac": sound(22_050, 2),
    "a.aiff": sound(24_000),
    "vorbis.ogg": sound(44_100, 2),
    "opus.ogg": sound(48_000, subtype="OPUS"),
    "lame.mp3": sound(44_100, 2),
    "low.mp3": sound(16_000),
    "a.m4a": ffmpeg("aac", 44_100),
    "a.aac": ffmpeg("aac", 48_000),
    "a.webm": ffmpeg("libopus", 48_000),
    "alac.m4a": ffmpeg("alac", 44_100),
    "s32.mka": ffmpeg("pcm_s32le", 48_000),
    "film.mp4": ffmpeg("aac", 48_000, video=True),
    "film.mkv": ffmpeg("libopus", 48_000, video=True),
    "old.mp3": ffmpeg("libmp3lame", 32_000),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_audio(tmp_path: Path, name: str) -> None:
    FORMATS[name](tmp_path / name)
    audio, wanted = read(tmp_path / name), melody(3.3, RATE)
    # Encoders pad to whole frames; none may add or lose as much as a syllable.
    assert abs(len(audio) - len(wanted)) < 0.1 * RATE
    shift = best_shift(audio, wanted)
    assert abs(shift) < 0.05 * RATE, "the audio begins at another time"
    assert correlation(audio, wanted, shift) > 0.9
    assert np.abs(audio).max() <= 1.0


def best_shift(audio: np.ndarray, wanted: np.ndarray) -> int:
    """Samples by which audio lags behind what was wanted."""
    size = 1 << (len(audio) + len(wanted)).bit_length()
    product = np.fft.rfft(audio, size) * np.conj(np.fft.rfft(wanted, size))
    lag = int(np.argmax(np.fft.irfft(product, size)))
    return lag if lag < size // 2 else lag - size


def correlation(audio: np.ndarray, wanted: np.ndarray, shift: int) -> float:
    """Scale matters too: half the loudness gives half the figure."""
    audio = audio[shift:] if shift >= 0 else np.pad(audio, (-shift, 0))
    length = min(len(audio), len(wanted))
    audio, wanted = audio[:length], wanted[:length]
    return float(audio @ wanted / max(audio @ audio, wanted @ wanted))


def test_channels_are_mixed_by_their_mean(tmp_path: Path) -> None:
    left = melody(1.0, RATE)
    soundfile.write(tmp_path / "a.wav", np.stack([left, np.zeros_like(left)], axis=1), RATE)
    assert np.allclose(read(tmp_path / "a.wav"), left / 2, atol=1e-4)


def test_an_open_file_is_read_from_its_start_and_left_open(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", RATE, 1)
    with (tmp_path / "a.wav").open("rb") as file:
        file.seek(100)
        assert sum(map(len, decode(file, max_seconds=60))) == round(3.3 * RATE)
        assert not file.closed


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.endswith(".aac")])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, name: str, share: float) -> None:
    FORMATS[name](tmp_path / name)
    data = (tmp_path / name).read_bytes()
    assert code_of(io.BytesIO(data[: int(len(data) * share)])) == "truncated_audio_file"


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_wav_from_a_pipe_has_no_length(length: int) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, melody(2.5, RATE), RATE, format="WAV")
    data = bytearray(buffer.getvalue())
    data[4:8] = data[40:44] = length.to_bytes(4, "little")
    assert len(read(io.BytesIO(data))) == round(2.5 * RATE)


def test_a_flac_from_a_pipe_has_no_length() -> None:
    tone = melody(2.5, RATE)
    assert len(read(io.BytesIO(without_length(tone)))) == len(tone)


def without_length(tone: np.ndarray) -> bytearray:
    """A FLAC as it comes out of a pipe."""
    buffer = io.BytesIO()
    soundfile.write(buffer, tone, RATE, format="FLAC")
    data = bytearray(buffer.getvalue())
    data[21] &= 0xF0  # STREAMINFO: total samples, 36 bits
    data[22:26] = bytes(4)
    return data


def test_a_live_webm_has_no_length(tmp_path: Path) -> None:
    path = tmp_path / "live.webm"
    with av.open(str(path), "w", options={"live": "1"}) as container:
        voice = container.add_stream("libopus", rate=48_000, layout="mono")
        tone = melody(2.0, 48_000)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="flt", layout="mono")
        frame.sample_rate = 48_000
        container.mux(voice.encode(frame))
        container.mux(voice.encode(None))
    assert abs(len(read(path)) - 2 * RATE) < 0.1 * RATE


def test_a_tag_after_the_audio_does_no_harm(tmp_path: Path) -> None:
    write_av(tmp_path / "a.mp3", "libmp3lame", 44_100)
    tagged = (tmp_path / "a.mp3").read_bytes() + b"TAG" + bytes(125)
    assert abs(len(read(io.BytesIO(tagged))) - round(3.3 * RATE)) < 0.1 * RATE


def test_no_bytes_and_no_samples_are_called_empty(tmp_path: Path) -> None:
    assert code_of(io.BytesIO()) == "empty_audio_file"
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.float32), RATE)
    assert code_of(tmp_path / "a.wav") == "empty_audio_file"


def test_a_video_without_sound_is_named_so(tmp_path: Path) -> None:
    write_av(tmp_path / "a.mp4", "aac", 48_000, sound=False, video=True)
    assert code_of(tmp_path / "a.mp4") == "no_audio_stream"


@pytest.mark.parametrize(
    "data",
    [b"x", b"hello, this is a text" * 50, b"%PDF-1.7\n" + bytes(5000), b"RIFF", b"fLaC" * 99],
    ids=["byte", "text", "pdf", "riff", "flac"],
)
def test_what_is_no_audio_is_called_so(data: bytes) -> None:
    assert code_of(io.BytesIO(data)) == "invalid_audio_file"


def test_a_playlist_cannot_open_other_files_of_the_server(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    write_sound(secret, RATE, 1)
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:3.3,\n{secret}\n#EXT-X-ENDLIST\n"
    for text in (hls, f"ffconcat version 1.0\nfile '{secret}'\n"):
        assert code_of(io.BytesIO(text.encode())) == "invalid_audio_file"


def test_audio_over_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.flac", RATE, 1)
    blocks = decode(tmp_path / "a.flac", max_seconds=3.0)
    with pytest.raises(AudioFileError) as caught:
        next(blocks)
    assert caught.value.code == "audio_too_long"
    assert caught.value.message == "The audio is longer than 3 seconds."


def test_a_bomb_that_hides_its_length_is_stopped_at_the_limit() -> None:
    """An hour of silence in a few kB whose header says that the length is unknown."""
    data = without_length(np.zeros(3600 * RATE, np.int16))
    tracemalloc.start()
    try:
        assert code_of(io.BytesIO(data), max_seconds=20.0) == "audio_too_long"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


@pytest.mark.parametrize("before", [0, (1 << 20) - 48], ids=["at once", "between two reads"])
def test_a_packed_header_is_not_unpacked(before: int) -> None:
    """FFmpeg would take 2 GB for a file of 2 MB."""
    header = zlib.compress(box(b"moov", box(b"free", bytes(1_000_000))))
    size = struct.pack(">I", 1_000_016)
    packed = box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", size + header))
    data = box(b"ftyp", b"qt  ") + box(b"free", bytes(before)) + box(b"moov", packed)
    with pytest.raises(AudioFileError, match="Packed headers") as caught:
        read(io.BytesIO(data))
    assert caught.value.code == "invalid_audio_file"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


@pytest.mark.parametrize("rate", [1, 1_000, 4_000_000])
def test_an_absurd_rate_is_refused(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", melody(0.1, RATE), rate)
    assert code_of(tmp_path / "a.wav", max_seconds=1e9) == "invalid_audio_file"


def test_samples_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    tone = melody(1.0, RATE)
    tone[500] = np.nan
    soundfile.write(tmp_path / "a.wav", tone, RATE, subtype="FLOAT")
    assert code_of(tmp_path / "a.wav") == "invalid_audio_file"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("formats")
    for name, write in FORMATS.items():
        write(folder / name)
    return [(folder / name).read_bytes() for name in FORMATS]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_never_shows_a_codec_error(samples: list[bytes], data: st.DataObject) -> None:
    original = data.draw(st.sampled_from(samples))
    damaged = bytearray(original[: data.draw(st.integers(0, len(original)))])
    for _ in range(data.draw(st.integers(0, 8)) if damaged else 0):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(bytes(damaged))


@settings(max_examples=60, deadline=None)
@given(
    magic=st.sampled_from(
        [b"", b"RIFF\0\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\x1aE\xdf\xa3"]
    ),
    noise=st.binary(max_size=4000),
)
def test_noise_never_shows_a_codec_error(magic: bytes, noise: bytes) -> None:
    read_or_refuse(magic + noise)


def read_or_refuse(data: bytes) -> None:
    """Whatever else a codec raises fails the test."""
    with contextlib.suppress(AudioFileError):
        read(io.BytesIO(data))
