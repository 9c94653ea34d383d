"""From audio as callers have it (bytes, arrays, any rate) to PCM16 at a rate of the wire."""

from typing import Any, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

# Rates that are sent as they are; the server resamples them itself.
WIRE_RATES = (8000, 16000, 24000, 48000)
_RESAMPLED_RATE = 16000
_BYTES_PER_SAMPLE = 2

Audio: TypeAlias = bytes | bytearray | memoryview | NDArray[np.int16] | NDArray[np.floating[Any]]


class PcmEncoder:
    """Turns chunks of mono audio into little-endian PCM16 at `rate` Hz, as one stream.

    A chunk may be of any length: half a sample at the end of a chunk of bytes waits for the next.

    Args:
        sample_rate: Of the chunks, in Hz, 1000 to 384000.  A rate outside `WIRE_RATES` is
            resampled to 16000 Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        if not 1000 <= sample_rate <= 384_000:
            raise ValueError(f"sample_rate must be from 1000 to 384000 Hz, not {sample_rate}")
        self._input_rate = sample_rate
        self.rate = sample_rate if sample_rate in WIRE_RATES else _RESAMPLED_RATE
        self._resampler = self._new_resampler()
        self._half_sample = b""

    def encode(self, audio: Audio) -> bytes:
        """PCM16 of a chunk, less what the resampler still holds back (some milliseconds).

        Args:
            audio: PCM16 little-endian mono as bytes, an int16 array, or a float array in -1 to 1
                (louder is clipped), of shape (samples,).

        Raises:
            TypeError: For another type of chunk or of array.
            ValueError: For an array of another shape, or with values that are not numbers.
        """
        samples = self._whole_samples(audio) if _is_bytes(audio) else _as_int16(audio)
        return self._resampled(samples, last=False)

    def drain(self) -> bytes:
        """PCM16 of what the resampler holds back; the next chunk starts afresh."""
        self._half_sample = b""
        tail = self._resampled(np.zeros(0, np.int16), last=True)
        self._resampler = self._new_resampler()
        return tail

    def _whole_samples(self, audio: Any) -> NDArray[np.int16]:
        data = self._half_sample + bytes(audio)
        whole = len(data) - len(data) % _BYTES_PER_SAMPLE
        self._half_sample = data[whole:]
        return np.frombuffer(data[:whole], dtype="<i2")

    def _resampled(self, samples: NDArray[np.int16], *, last: bool) -> bytes:
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        return samples.astype("<i2", copy=False).tobytes()

    def _new_resampler(self) -> Any:
        if self._input_rate == self.rate:
            return None
        return soxr.ResampleStream(self._input_rate, self.rate, 1, dtype="int16")


def _is_bytes(audio: object) -> bool:
    return isinstance(audio, bytes | bytearray | memoryview)


def _as_int16(audio: object) -> NDArray[np.int16]:
    if not isinstance(audio, np.ndarray):
        raise TypeError(f"audio must be bytes or a numpy array, not {type(audio).__name__}")
    if audio.ndim != 1:
        raise ValueError(f"audio must be mono, of shape (samples,), not {audio.shape}")
    if audio.dtype == np.int16:
        return audio
    if not np.issubdtype(audio.dtype, np.floating):
        raise TypeError(f"audio must be int16 or float, not {audio.dtype}")
    if not np.isfinite(audio).all():
        raise ValueError("audio contains values that are not finite numbers")
    scaled: NDArray[np.floating[Any]] = np.clip(np.rint(audio * 32768.0), -32768, 32767)
    return scaled.astype(np.int16)
