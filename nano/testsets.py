"""Record the evaluation sets: none of their sentences, and for some none of their voices, trained.

``python -m nano.testsets BANK FOLDER`` writes for each set 16 kHz mono FLAC files and a
``manifest.jsonl`` with one object a line: audio, text, words, voice, held_out, licence.
"""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from nano import bank
from nano.bank import HELD_OUT_ENGINE, HELD_OUT_VOICES, SEED, TRAINING, VARIANTS, trimmed
from nano.corpus import Sentence, sentence
from nano.vocabulary import WORD_TOKEN
from nano.voices import SAMPLE_RATE, Espeak, Hibari, Kokoro, Piper, Speech, Voice

_LICENCES: Final = {
    "flite": "BSD-style (CMU)",
    "festival": "BSD-style (CMU, CSTR)",
    "espeak-ng": "GPL-3.0 program, its output is free",
    "piper": "CC0 (voice joe)",
    "hibari": "Apache-2.0",
    "kokoro": "Apache-2.0",
    "pico": "Apache-2.0",
    "asterisk": "CC-BY-SA-3.0 (Allison Smith, Digium)",
}
_SHORTEST: Final = 3  # words; shorter sentences cannot be held out
_LONG_STREAM_S: Final = 600
_ASTERISK: Final = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_ASTERISK_TEXTS: Final = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")

_DEMO: Final = (
    "please turn on the kitchen lights",
    "set the timer for twenty five minutes please",
    "play the music please",
    "turn up the volume please",
    "four two seven one nine",
    "three hundred sixty eight",
    "no stop the music",
    "yes close the bedroom door please",
)

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Item:
    """One line of a manifest. ``words`` is empty where the engine gives no times."""

    audio: str
    text: str
    words: list[dict[str, Any]]
    voice: str
    held_out: str
    licence: str


@dataclass(frozen=True)
class Spoken:
    sentence: Sentence
    speech: Speech
    voice: Voice


def _unheard(random: Random, heard: frozenset[str]) -> Iterator[Sentence]:
    while True:
        drawn = sentence(random)
        if len(drawn.words) >= _SHORTEST and drawn.text not in heard:
            yield drawn


def _record(voice: Voice, count: int, heard: frozenset[str], purpose: str) -> list[Spoken]:
    """``count`` sentences that are in no training text, with a little silence around each."""
    random = Random(f"{SEED}-{purpose}-{voice.name}")
    drawing = _unheard(random, heard)
    sentences = [next(drawing) for _ in range(count)]
    spoken = []
    for wanted, speech in zip(sentences, voice.speak(sentences, random), strict=True):
        if speech is None or (speech.times and len(speech.times) != len(wanted.words)):
            continue
        cut = trimmed(speech) if speech.times else speech
        if cut is not None:
            spoken.append(Spoken(wanted, _framed(cut, random), voice))
    return spoken


def _framed(speech: Speech, random: Random) -> Speech:
    before, after = random.uniform(0.2, 0.6), random.uniform(0.3, 0.6)
    audio = np.pad(speech.audio, (round(before * SAMPLE_RATE), round(after * SAMPLE_RATE)))
    return Speech(audio, [(a + before, b + before) for a, b in speech.times])


def _words(spoken: Spoken, offset: float = 0.0) -> list[dict[str, Any]]:
    if not spoken.speech.times:
        return []
    return [
        {"word": word, "end": round(end + offset, 3)}
        for word, (_, end) in zip(spoken.sentence.words, spoken.speech.times, strict=True)
    ]


def _write(folder: Path, held_out: str, spoken: Sequence[Spoken]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for place, one in enumerate(spoken):
        name = f"{place:03}-{one.voice.name.replace(' ', '_')}.flac"
        soundfile.write(folder / name, one.speech.audio, SAMPLE_RATE, subtype="PCM_16")
        licence = _LICENCES[one.voice.engine]
        items.append(Item(name, one.sentence.text, _words(one), one.voice.name, held_out, licence))
    _write_manifest(folder, items)


def _write_manifest(folder: Path, items: Sequence[Item]) -> None:
    lines = "".join(json.dumps(asdict(item)) + "\n" for item in items)
    (folder / "manifest.jsonl").write_text(lines)


def _training_voices(purpose: str) -> Iterator[tuple[Voice, int]]:
    """Each training voice and how many sentences of it to record, about equal for each engine."""
    count = {"dev": 10, "sentence": 50, "long": 20}[purpose]
    makers = [make for make, _ in TRAINING]
    others, variants = makers[: -len(VARIANTS)], makers[-len(VARIANTS) :]
    voices_of = {"flite": 4, "festival": 3, "espeak-ng": 10, "kokoro": 6}
    for make in (*others, *Random(f"{SEED}-{purpose}").sample(variants, 10)):
        voice = make()
        yield voice, max(1, round(count / voices_of.get(voice.engine, 1)))


def _human(random: Random) -> Iterator[tuple[str, str, Samples]]:
    """(name, text, samples): every prompt of vocabulary words, then prompts joined to strings.

    Telephone exchanges read out numbers by playing such prompts one after another. "for" on its
    own is left out: alone it cannot be told from "four".
    """
    prompts: list[tuple[str, str, Samples]] = []
    for line in gzip.decompress(_ASTERISK_TEXTS.read_bytes()).decode(errors="replace").split("\n"):
        name, _, text = line.partition(":")
        words = re.sub(r"[^a-z ]", " ", text.lower()).split()
        path = _ASTERISK / f"{name.strip()}.g722"
        known = words and all(word in WORD_TOKEN and word != "for" for word in words)
        if known and path.exists():
            prompts.append((name.strip().replace("/", "-"), " ".join(words), _decoded(path)))
    gap = np.zeros(SAMPLE_RATE // 4, np.float32)
    for name, text, audio in prompts:
        yield name, text, np.concatenate((gap, audio, gap))
    for number in range(30):
        chosen = random.sample(prompts, random.randint(3, 6))
        parts = [gap, *(part for _, _, audio in chosen for part in (audio, gap[: len(gap) // 2]))]
        yield f"joined-{number:02}", " ".join(text for _, text, _ in chosen), np.concatenate(parts)


def _decoded(path: Path) -> Samples:
    command = ("ffmpeg", "-v", "error", "-f", "g722", "-i", str(path))
    pcm = subprocess.run(
        [*command, "-ar", str(SAMPLE_RATE), "-ac", "1", "-f", "s16le", "-"],
        check=True,
        capture_output=True,
    ).stdout
    return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)


def _write_human(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for name, text, audio in _human(Random(f"{SEED}-human")):
        soundfile.write(folder / f"{name}.flac", audio, SAMPLE_RATE, subtype="PCM_16")
        licence = _LICENCES["asterisk"]
        items.append(Item(f"{name}.flac", text, [], "asterisk-allison", "human", licence))
    _write_manifest(folder, items)


def _write_long(folder: Path, spoken: Sequence[Spoken]) -> None:
    """Ten minutes of sentences of many voices with pauses of 0 to 10 s, over a quiet noise."""
    random = Random(f"{SEED}-long")
    parts: list[Samples] = []
    words: list[dict[str, Any]] = []
    seconds = 0.0
    while seconds < _LONG_STREAM_S:
        one = random.choice(spoken)
        words += _words(one, seconds)
        pause = random.choice((0.0, random.uniform(0, 1.5), random.uniform(1, 10)))
        parts += [one.speech.audio, np.zeros(round(pause * SAMPLE_RATE), np.float32)]
        seconds += (len(parts[-2]) + len(parts[-1])) / SAMPLE_RATE
    audio = np.concatenate(parts)
    audio += np.random.default_rng(SEED).normal(0, 0.002, len(audio)).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "long.flac", audio, SAMPLE_RATE, subtype="PCM_16")
    text = " ".join(word["word"] for word in words)
    _write_manifest(folder, [Item("long.flac", text, words, "many", "sentence", "see README")])


def _write_wordless(folder: Path) -> None:
    """A minute each of white noise, loud and quiet, and of digital silence."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    items = []
    for name, level in (("noise-loud", 0.1), ("noise-quiet", 0.005), ("silence", 0.0)):
        audio = rng.normal(0, 1, 60 * SAMPLE_RATE).astype(np.float32) * np.float32(level)
        soundfile.write(folder / f"{name}.flac", audio, SAMPLE_RATE, subtype="PCM_16")
        items.append(Item(f"{name}.flac", "", [], name, "none", "CC0-1.0"))
    _write_manifest(folder, items)


def _write_noisy(folder: Path, clean: Path, decibels: float) -> None:
    """The sentences of the set ``clean`` in white noise, so much below the mean speech power."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    for line in (clean / "manifest.jsonl").read_text().splitlines():
        name = json.loads(line)["audio"]
        audio = soundfile.read(clean / name, dtype="float32")[0]
        power = float(np.mean(np.square(audio))) * 10 ** (-decibels / 10)
        noisy = audio + rng.normal(0, power**0.5, len(audio))
        soundfile.write(folder / name, np.clip(noisy, -1, 1), SAMPLE_RATE, subtype="PCM_16")
    (folder / "manifest.jsonl").write_text((clean / "manifest.jsonl").read_text())


def _write_demo(folder: Path, heard: frozenset[str]) -> None:
    """For each of the most natural voices about 20 s of commands with a speaker's pauses."""
    folder.mkdir(parents=True, exist_ok=True)
    random = Random(f"{SEED}-demo")
    items = []
    for voice in (Hibari(), Piper(), Kokoro("jf_alpha")):
        sentences = [Sentence(tuple(text.split())) for text in _DEMO if text not in heard]
        parts: list[Samples] = []
        words: list[dict[str, Any]] = []
        seconds = 0.0
        for wanted, speech in zip(sentences, voice.speak(sentences, random), strict=True):
            cut = trimmed(speech) if speech else None
            if cut is None:
                continue
            one = Spoken(wanted, _framed(cut, random), voice)
            words += _words(one, seconds)
            parts += [one.speech.audio, np.zeros(random.randint(0, SAMPLE_RATE), np.float32)]
            seconds += (len(parts[-2]) + len(parts[-1])) / SAMPLE_RATE
        name = f"demo-{voice.name}.flac"
        soundfile.write(folder / name, np.concatenate(parts), SAMPLE_RATE, subtype="PCM_16")
        text = " ".join(word["word"] for word in words)
        items.append(Item(name, text, words, voice.name, "sentence", _LICENCES[voice.engine]))
    _write_manifest(folder, items)


def _recorded(purpose: str, heard: frozenset[str]) -> list[Spoken]:
    return [
        one
        for voice, count in _training_voices(purpose)
        for one in _record(voice, count, heard, purpose)
    ]


def _held_out(makers: Sequence[Callable[[], Voice]], heard: frozenset[str]) -> list[Spoken]:
    voices = [make() for make in makers]
    return [
        one
        for voice in voices
        for one in _record(voice, 20 if isinstance(voice, Espeak) else 80, heard, "held-out")
    ]


def record(bank_folder: Path, folder: Path) -> None:
    """Record every set that is not in ``folder`` yet."""
    heard = frozenset(text for shelf in bank.load(bank_folder) for text in shelf.texts())
    writers: dict[str, Callable[[Path], None]] = {
        "dev": lambda path: _write(path, "sentence", _recorded("dev", heard)),
        "sentence": lambda path: _write(path, "sentence", _recorded("sentence", heard)),
        "noisy-20db": lambda path: _write_noisy(path, folder / "sentence", 20),
        "noisy-10db": lambda path: _write_noisy(path, folder / "sentence", 10),
        "voice": lambda path: _write(path, "voice", _held_out(HELD_OUT_VOICES, heard)),
        "engine": lambda path: _write(path, "engine", _held_out(HELD_OUT_ENGINE, heard)),
        "long": lambda path: _write_long(path, _recorded("long", heard)),
        "demo": lambda path: _write_demo(path, heard),
        "human": _write_human,
        "wordless": _write_wordless,
    }
    for name, write in writers.items():
        if not (folder / name / "manifest.jsonl").exists():
            write(folder / name)


if __name__ == "__main__":
    record(Path(sys.argv[1]), Path(sys.argv[2]))
