"""Build the bank of spoken sentences that training clips are mixed from.

``python -m nano.bank FOLDER`` writes one folder per voice: ``audio.npy`` (int16 samples at 16 kHz,
all sentences after one another) and ``index.npz`` (bounds of sentences, words, word times).
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nano.corpus import Sentence, sentence
from nano.vocabulary import WORDS
from nano.voices import (
    SAMPLE_RATE,
    Espeak,
    Festival,
    Flite,
    Hibari,
    Kokoro,
    Pico,
    Piper,
    Speech,
    Voice,
)

SEED: Final = 20261122
_LEAD_S: Final = 0.04  # kept before the first word, so that its onset is whole
_TAIL_S: Final = 0.10  # kept after the last word, for its release

VARIANTS: Final = (
    *("Alex", "Alicia", "Andrea", "Andy", "Annie", "AnxiousAndy", "Denis", "Diogo", "Gene"),
    *("Henrique", "Hugo", "Jacky", "Lee", "Mario", "Michael", "Mike", "Mr serious", "Nguyen"),
    *("RicishayMax", "RicishayMax2", "Storm", "Tweaky", "adam", "anika", "announcer", "antonio"),
    *("aunty", "belinda", "benjamin", "boris", "caleb", "croak", "david", "ed", "edward"),
    *("edward2", "f1", "f2", "f3", "f4", "f5", "fast", "grandma", "grandpa", "gustave", "iven"),
    *("iven2", "john", "kaukovalta", "klatt", "klatt2", "klatt3", "klatt4", "linda", "m1", "m2"),
    *("m4", "m5", "m6", "m7", "m8", "marcelo", "max", "michel", "miguel", "norbert", "pablo"),
    *("paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph2", "travis"),
    *("victor", "whisper", "zac"),
)
HELD_OUT_VARIANTS: Final = ("Marco", "Gene2", "iven3", "m3", "steph3")

_Maker = Callable[[], Voice]


def _roster() -> Iterator[tuple[_Maker, int]]:
    """Makers of the training voices, each with its number of sentences.

    Slowest first, so that parallel workers end together.
    """
    for speaker in ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"):
        yield partial(Kokoro, speaker), 80
    yield partial(Kokoro, "jf_alpha", "jm_kumo"), 80
    yield Piper, 800
    yield Hibari, 1200
    yield partial(Flite, "cmu_us_slt"), 600
    yield partial(Flite, "cmu_us_awb"), 600
    yield partial(Flite, "cmu_us_kal16"), 500
    yield partial(Flite, "cmu_us_kal"), 300
    for select in ("voice_kal_diphone", "voice_ked_diphone", "voice_cmu_us_slt_arctic_hts"):
        yield partial(Festival, select), 350
    for variant in VARIANTS:
        yield partial(Espeak, variant), 48


TRAINING: Final = tuple(_roster())
HELD_OUT_VOICES: Final[tuple[_Maker, ...]] = (
    partial(Flite, "cmu_us_rms"),
    *(partial(Espeak, variant) for variant in HELD_OUT_VARIANTS),
)
HELD_OUT_ENGINE: Final[tuple[_Maker, ...]] = (partial(Pico, "en-US"), partial(Pico, "en-GB"))


@dataclass(frozen=True)
class Utterance:
    """A sentence of the bank. Times are seconds from its first sample."""

    voice: str
    audio: NDArray[np.int16]
    words: list[str]
    starts: NDArray[np.float32]
    ends: NDArray[np.float32]


def trimmed(speech: Speech) -> Speech | None:
    """``speech`` without the silence around it; None if its word times are not plausible."""
    length = len(speech.audio) / SAMPLE_RATE
    starts, ends = zip(*speech.times, strict=True)
    ordered = all(a < b + 0.03 for a, b in pairwise([*ends, length + 0.05]))
    if not ordered or any(end - start < 0.04 for start, end in speech.times):
        return None
    first = max(0.0, starts[0] - _LEAD_S)
    last = min(length, ends[-1] + _TAIL_S)
    audio = speech.audio[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)]
    return Speech(audio, [(start - first, end - first) for start, end in speech.times])


def record(make: _Maker, count: int, folder: Path) -> str:
    """Record ``count`` sentences of one voice, unless its folder is there; return a line of log."""
    voice = make()
    shelf = folder / voice.name.replace(" ", "_")
    if (shelf / "index.npz").exists():
        return f"{voice.name}: already recorded"
    random = Random(f"{SEED}-{voice.name}")
    sentences = [sentence(random) for _ in range(count)]
    kept: list[tuple[Sentence, Speech]] = []
    for wanted, speech in zip(sentences, voice.speak(sentences, random), strict=True):
        if speech is None or len(speech.times) != len(wanted.words):
            continue
        cut = trimmed(speech)
        if cut is not None:
            kept.append((wanted, cut))
    _save(shelf, voice, kept)
    seconds = sum(len(speech.audio) for _, speech in kept) / SAMPLE_RATE
    return f"{voice.name}: {len(kept)} of {count} sentences, {seconds:.0f} s"


def _save(folder: Path, voice: Voice, spoken: list[tuple[Sentence, Speech]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(
        folder / "audio.npy",
        np.concatenate([np.round(speech.audio * 32767).astype(np.int16) for _, speech in spoken]),
    )
    times = np.array([pair for _, speech in spoken for pair in speech.times], np.float32)
    np.savez(
        folder / "index.npz",
        engine=np.array(voice.engine),
        samples=np.cumsum([0, *(len(speech.audio) for _, speech in spoken)]),
        word_bounds=np.cumsum([0, *(len(wanted.words) for wanted, _ in spoken)]),
        words=np.array([WORDS.index(word) for wanted, _ in spoken for word in wanted.words]),
        times=times,
    )


class Shelf:
    """One voice of the bank; its audio stays on disk until it is used."""

    def __init__(self, folder: Path) -> None:
        self.voice = folder.name
        self._audio = np.load(folder / "audio.npy", mmap_mode="r")
        index = np.load(folder / "index.npz")
        self.engine = str(index["engine"])
        self._samples, self._bounds = index["samples"], index["word_bounds"]
        self._words, self._times = index["words"], index["times"]

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, place: int) -> Utterance:
        words = slice(self._bounds[place], self._bounds[place + 1])
        return Utterance(
            self.voice,
            np.asarray(self._audio[self._samples[place] : self._samples[place + 1]]),
            [WORDS[number] for number in self._words[words]],
            self._times[words, 0],
            self._times[words, 1],
        )

    def texts(self) -> Iterator[str]:
        for first, last in pairwise(self._bounds):
            yield " ".join(WORDS[number] for number in self._words[first:last])


def load(folder: Path) -> list[Shelf]:
    """The shelves of a bank, in the order of their names."""
    return [Shelf(path.parent) for path in sorted(folder.glob("*/index.npz"))]


def build(folder: Path, workers: int = 2) -> None:
    """Record every training voice that is not in ``folder`` yet."""
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(record, make, count, folder) for make, count in TRAINING]
        for job in jobs:
            print(job.result(), flush=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
