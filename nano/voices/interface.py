"""What every engine offers: words in, 16 kHz audio and word times out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd
from random import Random
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from nano.corpus import Sentence

SAMPLE_RATE: Final = 16000
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Speech:
    """A spoken sentence: mono samples at 16 kHz and each word's (start, end) in seconds."""

    audio: Samples
    times: list[tuple[float, float]]


class Voice(Protocol):
    """A speaker. ``name`` is unique; ``engine`` is the program that it belongs to."""

    name: str
    engine: str

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        """Speak each sentence at its own random pace; None where the engine failed."""
        ...


def to_16k(audio: NDArray[Any], rate: int) -> Samples:
    """Float samples at 16 kHz, scaled to a peak of 0.7."""
    audio = np.asarray(audio, np.float32)
    common = gcd(SAMPLE_RATE, rate)
    audio = resample_poly(audio, SAMPLE_RATE // common, rate // common).astype(np.float32)
    peak = float(np.abs(audio).max(initial=0.0))
    scaled: Samples = audio * np.float32(0.7 / max(peak, 1e-6))
    return scaled


def punctuated(sentence: Sentence) -> str:
    """Text for engines that read text: a comma makes the pause."""
    return " ".join(
        word + ("," if place in sentence.pauses else "")
        for place, word in enumerate(sentence.words)
    )
