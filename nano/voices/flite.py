"""CMU Flite, through its C library."""

import ctypes
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random

import numpy as np

from nano.corpus import Sentence
from nano.voices.interface import Speech, punctuated, to_16k


class _FliteWave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _FliteVoice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


@cache
def _flite() -> ctypes.CDLL:
    library = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
    for dependency in ("usenglish", "cmulex"):
        ctypes.CDLL(f"libflite_{dependency}.so.1", mode=ctypes.RTLD_GLOBAL)
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("flite_synth_text", pointer, (text, pointer)),
        ("utt_wave", ctypes.POINTER(_FliteWave), (pointer,)),
        ("utt_relation", pointer, (pointer, text)),
        ("relation_head", pointer, (pointer,)),
        ("item_next", pointer, (pointer,)),
        ("ffeature_float", ctypes.c_float, (pointer, text)),
        ("feat_set_float", None, (pointer, text, ctypes.c_float)),
        ("delete_utterance", None, (pointer,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.flite_init()
    return library


class Flite:
    """A voice of CMU Flite, by its library's name, for example ``cmu_us_slt``."""

    engine = "flite"

    def __init__(self, voice: str) -> None:
        self.name = f"flite-{voice.removeprefix('cmu_us_')}"
        _flite()
        library = ctypes.CDLL(f"libflite_{voice}.so.1", mode=ctypes.RTLD_GLOBAL)
        register = getattr(library, f"register_{voice}")
        register.restype, register.argtypes = ctypes.POINTER(_FliteVoice), (ctypes.c_void_p,)
        self._voice = register(None)

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        flite = _flite()
        for sentence in sentences:
            pace = random.uniform(0.75, 1.35)
            flite.feat_set_float(self._voice.contents.features, b"duration_stretch", pace)
            utterance = flite.flite_synth_text(punctuated(sentence).encode(), self._voice)
            wave = flite.utt_wave(utterance).contents
            audio = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).copy()
            times = []
            word = flite.relation_head(flite.utt_relation(utterance, b"Word"))
            while word:
                segments = "R:SylStructure.daughter{}.daughter{}.R:Segment.{}"
                start = flite.ffeature_float(word, segments.format(1, 1, "p.end").encode())
                end = flite.ffeature_float(word, segments.format("n", "n", "end").encode())
                times.append((start, end))
                word = flite.item_next(word)
            rate = wave.sample_rate
            flite.delete_utterance(utterance)
            yield Speech(to_16k(audio, rate), times)
