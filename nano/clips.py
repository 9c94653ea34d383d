"""Mix training clips from the bank: sentences, pauses, and the effects on them.

A clip is a function of the seed, the step and its place in the batch, so training resumes exactly.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nano.bank import Shelf
from nano.effects import Samples, equaliser, masked, recorded
from nano.features import SAMPLE_RATE, SAMPLES_PER_TOKEN, compressed, log_mel_power
from nano.labels import generated_tokens, phone_frames, text_input
from nano.model import ENCODER_FRAMES_PER_TOKEN
from nano.vocabulary import EOS, FIRST_WORD, WORDS

# Delay in tokens of 80 ms -> share of the clips. 480 ms is what is served by default.
DELAYS: Final = {3: 0.15, 6: 0.5, 12: 0.2, 30: 0.15}
LEFT_PAD: Final = 32
RIGHT_PAD_BEYOND_DELAY: Final = 11
IGNORED: Final = -100

# Share of sentences by engine: natural-sounding voices more often than their number would say.
ENGINE_SHARES: Final = {
    "piper": 0.2,
    "hibari": 0.15,
    "kokoro": 0.17,
    "flite": 0.18,
    "festival": 0.12,
    "espeak-ng": 0.18,
}

Words = list[tuple[str, float, float]]


@dataclass(frozen=True)
class Clip:
    """One training example of T tokens; shapes in brackets."""

    mel: Tensor  # (128, 8 T)
    text: NDArray[np.int64]  # (T,) input tokens
    labels: NDArray[np.int64]  # (T,) next tokens, IGNORED within the prompt
    phones: NDArray[np.int64]  # (4 T,)
    audio_present: NDArray[np.float32]  # (T,)
    delay: int  # in tokens


class Mixer:
    """Draws clips from the bank's shelves."""

    def __init__(self, shelves: list[Shelf]) -> None:
        self._shelves = shelves
        engines = [shelf.engine for shelf in shelves]
        shares = np.array([ENGINE_SHARES[e] / engines.count(e) for e in engines])
        self._shares = shares / shares.sum()

    def clip(self, rng: np.random.Generator, tokens: int) -> Clip:
        """A clip of ``tokens`` tokens, the left padding included."""
        delay = int(rng.choice(list(DELAYS), p=list(DELAYS.values())))
        left = LEFT_PAD if rng.random() < 0.3 else int(rng.integers(2, 13))
        ends = rng.random() < 0.3
        gone = int(rng.integers(1, 9)) if ends else 0
        right = delay + RIGHT_PAD_BEYOND_DELAY if ends else 0
        spoken = max(tokens - left - right - gone, 8)
        audio, words = self._speech(rng, spoken * SAMPLES_PER_TOKEN)
        audio = recorded(rng, audio, self.babble)
        padded = np.zeros(tokens * SAMPLES_PER_TOKEN, np.float32)
        padded[left * SAMPLES_PER_TOKEN :][: len(audio)] = audio
        return _labelled(rng, padded, words, delay, left, gone)

    def _speech(self, rng: np.random.Generator, samples: int) -> tuple[Samples, Words]:
        """Clean audio of ``samples`` samples with its words, times in seconds from its start."""
        audio = np.zeros(samples, np.float32)
        words: Words = []
        if rng.random() < 0.04:
            return audio, words
        shelf = self._shelf(rng)
        level = 1.0
        busy = rng.random() < 0.7
        place = int(rng.uniform(0, 0.6 if rng.random() < 0.7 else 3.0) * SAMPLE_RATE)
        while place < samples:
            if rng.random() < 0.3:
                shelf = self._shelf(rng)
                level = 10 ** rng.uniform(-0.4, 0.0)
            place = self._add_sentence(rng, shelf, audio, words, place, level)
            place += int(_pause(rng, busy) * SAMPLE_RATE)
        return audio, words

    def _shelf(self, rng: np.random.Generator) -> Shelf:
        return self._shelves[rng.choice(len(self._shelves), p=self._shares)]

    def _add_sentence(
        self,
        rng: np.random.Generator,
        shelf: Shelf,
        audio: Samples,
        words: Words,
        place: int,
        level: float,
    ) -> int:
        """Write a sentence into ``audio`` at ``place``; return the sample after it."""
        utterance = shelf[int(rng.integers(len(shelf)))]
        pace = float(rng.uniform(0.87, 1.15))
        sound = _resampled(utterance.audio, pace)
        room = audio[place : place + len(sound)]
        room += sound[: len(room)] * np.float32(level)
        offset = place / SAMPLE_RATE
        times = zip(utterance.words, utterance.starts, utterance.ends, strict=True)
        words += [(w, offset + float(a) / pace, offset + float(b) / pace) for w, a, b in times]
        return place + len(sound)

    def babble(self, rng: np.random.Generator, samples: int) -> Samples:
        """Several voices at once, backwards: the spectrum of speech without its words."""
        audio = np.zeros(samples, np.float32)
        for _ in range(4):
            place = 0
            while place < samples:
                shelf = self._shelf(rng)
                place = self._add_sentence(rng, shelf, audio, [], place, 1.0)
        return audio[::-1]


def _pause(rng: np.random.Generator, busy: bool) -> float:
    """Seconds between two sentences."""
    kind = rng.random()
    if kind < (0.75 if busy else 0.3):
        return float(rng.uniform(0.05, 0.7))
    if kind < (0.97 if busy else 0.75):
        return float(rng.uniform(0.7, 2.5))
    return float(rng.uniform(2.5, 8.0))


def _resampled(audio: NDArray[np.int16], pace: float) -> Samples:
    """Float samples, ``pace`` times as fast and as high."""
    places = np.arange(0, len(audio) - 1, pace)
    whole = places.astype(np.int64)
    part = (places - whole).astype(np.float32)
    source = audio.astype(np.float32) / 32768.0
    return source[whole] * (1 - part) + source[whole + 1] * part


def _labelled(
    rng: np.random.Generator, audio: Samples, words: Words, delay: int, left: int, gone: int
) -> Clip:
    """The clip of ``audio``, which begins with ``left`` tokens of padding.

    For its last ``gone`` tokens there is no audio at all: there the stream ends.
    """
    tokens = len(audio) // SAMPLES_PER_TOKEN
    log_power = log_mel_power(audio)
    if rng.random() < 0.7:
        log_power = log_power + equaliser(rng)
    mel = compressed(log_power)
    if rng.random() < 0.6:
        mel = masked(rng, mel)
    prompt = 1 + left + delay
    generated = generated_tokens([(word, end) for word, _, end in words], tokens - prompt + 1)
    present = np.ones(tokens, np.float32)
    if gone:
        present[-gone:] = 0
        generated[-gone:] = EOS
    labels = np.full(tokens, IGNORED, np.int64)
    labels[prompt - 1 :] = generated
    shifted = [(w, a + left * 0.08, b + left * 0.08) for w, a, b in words]
    phones = phone_frames(shifted, tokens * ENCODER_FRAMES_PER_TOKEN)
    phones[(tokens - gone) * ENCODER_FRAMES_PER_TOKEN :] = IGNORED
    text = text_input(_misheard(rng, generated), prompt)
    return Clip(mel, text, labels, phones, present, delay)


def _misheard(rng: np.random.Generator, generated: NDArray[np.int64]) -> NDArray[np.int64]:
    """Some words replaced by others, so that the decoder trusts its ears, not its sentence."""
    rate = 0.0 if rng.random() < 0.25 else rng.uniform(0.0, 0.6)
    wrong = (generated >= FIRST_WORD) & (rng.random(len(generated)) < rate)
    others = rng.integers(FIRST_WORD, FIRST_WORD + len(WORDS), len(generated))
    return np.where(wrong, others, generated)


@dataclass(frozen=True)
class Batch:
    """Clips of equal length, stacked; shapes as in ``Clip`` with the batch in front."""

    mel: Tensor
    text: Tensor
    labels: Tensor
    phones: Tensor
    audio_present: Tensor
    delay: Tensor


def batch(mixer: Mixer, seed: tuple[int, ...], clips: int, tokens: int) -> Batch:
    """``clips`` clips that depend on ``seed`` only."""
    rng = np.random.default_rng(seed)
    drawn = [mixer.clip(rng, tokens) for _ in range(clips)]
    return Batch(
        torch.stack([clip.mel for clip in drawn]),
        torch.from_numpy(np.stack([clip.text for clip in drawn])),
        torch.from_numpy(np.stack([clip.labels for clip in drawn])),
        torch.from_numpy(np.stack([clip.phones for clip in drawn])),
        torch.from_numpy(np.stack([clip.audio_present for clip in drawn])),
        torch.tensor([clip.delay for clip in drawn]),
    )
