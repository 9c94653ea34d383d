"""espeak-ng, through its C library."""

import ctypes
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nano.corpus import Sentence
from nano.vocabulary import PRONUNCIATIONS
from nano.voices.interface import Speech, punctuated, to_16k


class _EspeakEvent(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_ESPEAK_WORD_EVENT: Final = 1
_ESPEAK_SYNCHRONOUS: Final = 2
_ESPEAK_UTF8: Final = 1
_EspeakCallback = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_short),
    ctypes.c_int,
    ctypes.POINTER(_EspeakEvent),
)


class _EspeakLibrary:
    """The one instance of libespeak-ng; collects audio and word events of a synthesis."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate: int = self.library.espeak_Initialize(_ESPEAK_SYNCHRONOUS, 0, None, 0)
        self.parts: list[NDArray[np.int16]] = []
        self.words: list[tuple[int, int]] = []
        self._callback = _EspeakCallback(self._collect)
        self.library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        if samples and count:
            self.parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        place = 0
        while events[place].type != 0:
            if events[place].type == _ESPEAK_WORD_EVENT:
                self.words.append((events[place].text_position - 1, events[place].sample))
            place += 1
        return 0

    def synthesise(
        self, voice: str, text: str, pace: int, pitch: int, spread: int
    ) -> tuple[NDArray[np.int16], list[tuple[int, int]]]:
        """Samples, and for each word event its character position and first sample."""
        self.parts, self.words = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((1, pace), (3, pitch), (4, spread)):
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _ESPEAK_UTF8, None, None)
        return np.concatenate(self.parts), self.words


@cache
def _espeak() -> _EspeakLibrary:
    return _EspeakLibrary()


# By the names of their files; espeak-ng does not find all of them by language code.
_ESPEAK_ACCENTS: Final = (
    *("gmw/en-US",) * 6,
    *("gmw/en",) * 2,
    *("gmw/en-GB-scotland", "gmw/en-GB-x-rp", "gmw/en-GB-x-gbclan", "gmw/en-GB-x-gbcwmd"),
    "gmw/en-029",
)


class Espeak:
    """A variant (a timbre) of espeak-ng, with an accent, pitch and pace drawn for each sentence."""

    engine = "espeak-ng"

    def __init__(self, variant: str) -> None:
        self.name = f"espeak-{variant}"
        self._variant = variant

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        for sentence in sentences:
            text = punctuated(sentence)
            audio, events = _espeak().synthesise(
                f"{random.choice(_ESPEAK_ACCENTS)}+{self._variant}",
                text,
                pace=random.randint(110, 210),
                pitch=random.randint(25, 75),
                spread=random.randint(20, 80),
            )
            times = _times_from_events(sentence, text, events, audio, _espeak().rate)
            yield Speech(to_16k(audio, _espeak().rate), times) if times else None


def _times_from_events(
    sentence: Sentence,
    text: str,
    events: list[tuple[int, int]],
    audio: NDArray[np.int16],
    rate: int,
) -> list[tuple[float, float]] | None:
    """Word times from events at words' starts.

    A word runs to the next event, less the silence before it. espeak-ng reports some pairs ("on
    the") as one word: such a stretch is shared out by the number of phones.
    """
    places, position = [], 0
    for word in sentence.words:
        position = text.index(word, position)
        places.append(position)
        position += len(word)
    first_of = dict(events)
    if places[0] not in first_of or not set(first_of) <= set(places):
        return None
    groups: list[tuple[int, list[str]]] = []
    for place, word in zip(places, sentence.words, strict=True):
        if place in first_of:
            groups.append((first_of[place], [word]))
        else:
            groups[-1][1].append(word)
    times: list[tuple[float, float]] = []
    for (start, words), (following, _) in zip(groups, [*groups[1:], (len(audio), [])], strict=True):
        end = _last_sound(audio, start, following, rate)
        if end <= start:
            return None
        sizes = [len(PRONUNCIATIONS[word].split()) for word in words]
        edges = start + (end - start) * np.cumsum([0, *sizes]) / sum(sizes)
        times += [(a / rate, b / rate) for a, b in pairwise(edges)]
    return times


def _last_sound(audio: NDArray[np.int16], start: int, end: int, rate: int) -> int:
    """Last sample in [start, end) that is within 35 dB of the stretch's loudest 10 ms."""
    step = rate // 100
    frames = audio[start:end][: (end - start) // step * step].astype(np.float64).reshape(-1, step)
    power = (frames**2).mean(axis=1)
    if not power.size or not power.max():
        return start
    loud = np.flatnonzero(power > power.max() * 10**-3.5)
    return start + (int(loud[-1]) + 1) * step
