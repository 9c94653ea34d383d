"""SVOX Pico: the engine that is never in training."""

from collections.abc import Iterable, Sequence
from random import Random

import numpy as np

from nano.corpus import Sentence
from nano.voices.interface import SAMPLE_RATE, Speech, punctuated, to_16k


class Pico:
    """A voice of SVOX Pico. It gives no word times; used for word error rates only."""

    engine = "pico"

    def __init__(self, language: str) -> None:
        self.name = f"pico-{language}"
        self._language = language

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        from py_nanotts import NanoTTS

        for sentence in sentences:
            pcm = NanoTTS().speak(
                punctuated(sentence), voice=self._language, speed=random.uniform(0.8, 1.2)
            )
            yield Speech(to_16k(np.frombuffer(pcm, np.int16), SAMPLE_RATE), [])
