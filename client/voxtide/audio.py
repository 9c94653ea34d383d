"""From audio as callers have it (bytes, arrays, any rate, several channels) to what is sent."""

import sys
from array import array
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:  # the bare client does without it
    import numpy as np
    from numpy.typing import NDArray

    Audio: TypeAlias = (
        bytes | bytearray | memoryview | NDArray[np.int16] | NDArray[np.floating[Any]]
    )
else:
    Audio: TypeAlias = Any

Encoding: TypeAlias = Literal["pcm16", "mulaw", "alaw"]
_G711_RATE = 8000
_MISSING = "pip install 'voxtide[audio]'"


class AudioEncoder:
    """Turns chunks of audio into the bytes of one mono stream.

    A chunk may be of any length: half a sample at the end of a chunk of bytes waits for the next.

    Args:
        sample_rate: Of the chunks, in Hz, 1000 to 384000.
        channels: Interleaved in chunks of bytes, 1 to 64; they are averaged.
        encoding: Of chunks of bytes: pcm16 (little-endian), or G.711 (mulaw, alaw; 8000 Hz, one
            channel), which is sent as it is.
        wire_rates: Rates in Hz that are sent as they are; PCM at another is resampled to the
            first one (extra `audio`).

    Attributes:
        rate: Of the bytes, in Hz.
        sample_bytes: Bytes of a sample.
    """

    def __init__(
        self, sample_rate: int, channels: int, encoding: Encoding, wire_rates: Sequence[int]
    ) -> None:
        _check(sample_rate, channels, encoding)
        self._channels = channels
        self._is_pcm = encoding == "pcm16"
        self._input_rate = sample_rate
        self.sample_bytes = 2 if self._is_pcm else 1
        self.rate = _wire_rate(sample_rate, encoding, wire_rates)
        self._resampler = self._new_resampler()
        self._rest = b""

    def encode(self, audio: Audio) -> bytes:
        """The bytes of a chunk, less what the resampler still holds back (some milliseconds).

        Args:
            audio: Bytes in the encoding that was announced, an int16 array, or a float array in
                -1 to 1 (louder is clipped), of shape (samples,) or (samples, channels).

        Raises:
            TypeError: For another type of chunk or of array.
            ValueError: For an array of another shape, or with values that are not numbers.
        """
        if isinstance(audio, bytes | bytearray | memoryview):
            data = self._whole(bytes(audio))
        elif self._is_pcm and type(audio).__module__ == "numpy":
            data = _from_array(audio)
        else:
            kinds = "bytes or a numpy array" if self._is_pcm else "bytes"
            raise TypeError(f"audio must be {kinds}, not {type(audio).__name__}")
        return self._resampled(data, last=False)

    def drain(self) -> bytes:
        """The bytes of what the resampler holds back; the next chunk starts afresh."""
        self._rest = b""
        tail = self._resampled(b"", last=True)
        self._resampler = self._new_resampler()
        return tail

    def _whole(self, data: bytes) -> bytes:
        data = self._rest + data if self._rest else data
        surplus = len(data) % (self.sample_bytes * self._channels)
        self._rest = data[len(data) - surplus :]
        data = data[: len(data) - surplus] if surplus else data
        return data if self._channels == 1 else _mixed(data, self._channels)

    def _resampled(self, data: bytes, *, last: bool) -> bytes:
        if self._resampler is None:
            return data
        import numpy as np

        samples = self._resampler.resample_chunk(np.frombuffer(data, "<i2"), last=last)
        resampled: bytes = samples.astype("<i2", copy=False).tobytes()
        return resampled

    def _new_resampler(self) -> Any:
        if self._input_rate == self.rate:
            return None
        try:
            import soxr
        except ImportError as missing:
            text = f"audio at {self._input_rate} Hz has to be resampled: {_MISSING}"
            raise ValueError(text) from missing
        return soxr.ResampleStream(self._input_rate, self.rate, 1, dtype="int16")


def _check(sample_rate: int, channels: int, encoding: str) -> None:
    if not 1000 <= sample_rate <= 384_000:
        raise ValueError(f"sample_rate must be from 1000 to 384000 Hz, not {sample_rate}")
    if not 1 <= channels <= 64:
        raise ValueError(f"channels must be from 1 to 64, not {channels}")
    if encoding not in ("pcm16", "mulaw", "alaw"):
        raise ValueError(f"encoding must be pcm16, mulaw or alaw, not {encoding!r}")
    if encoding != "pcm16" and (sample_rate, channels) != (_G711_RATE, 1):
        raise ValueError(f"{encoding} has one channel at {_G711_RATE} Hz")


def _wire_rate(sample_rate: int, encoding: str, wire_rates: Collection[int]) -> int:
    if encoding != "pcm16" or sample_rate in wire_rates:
        return sample_rate
    return next(iter(wire_rates))


def _mixed(data: bytes, channels: int) -> bytes:
    """The mean of interleaved channels."""
    samples = array("h", data)
    if sys.byteorder == "big":
        samples.byteswap()
    frames = zip(*[iter(samples)] * channels, strict=True)
    mixed = array("h", (sum(frame) // channels for frame in frames))
    if sys.byteorder == "big":
        mixed.byteswap()
    return mixed.tobytes()


def _from_array(audio: Any) -> bytes:
    import numpy as np

    if not isinstance(audio, np.ndarray):
        raise TypeError(f"audio must be bytes or a numpy array, not {type(audio).__name__}")
    if audio.ndim not in (1, 2):
        shapes = "(samples,) or (samples, channels)"
        raise ValueError(f"audio must be of shape {shapes}, not {audio.shape}")
    if audio.dtype != np.int16 and not np.issubdtype(audio.dtype, np.floating):
        raise TypeError(f"audio must be int16 or float, not {audio.dtype}")
    if not np.isfinite(audio).all():
        raise ValueError("audio contains values that are not finite numbers")
    scale = 1.0 if audio.dtype == np.int16 else 32768.0
    if audio.ndim == 2:
        audio = audio.mean(axis=1, dtype=np.float64)
    if audio.dtype != np.int16:
        audio = np.clip(np.rint(audio * scale), -32768, 32767)
    samples: bytes = audio.astype("<i2", copy=False).tobytes()
    return samples
