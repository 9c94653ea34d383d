"""What a microphone, a room, a line and other sounds do to speech."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import oaconvolve
from torch import Tensor

from nano.features import SAMPLE_RATE

Samples = NDArray[np.float32]
# Draws so many samples of babble.
Babble = Callable[[np.random.Generator, int], Samples]


def recorded(rng: np.random.Generator, audio: Samples, babble: Babble) -> Samples:
    """``audio`` as a microphone in a room would give it."""
    if rng.random() < 0.3:
        audio = _reverberated(rng, audio)
    if rng.random() < 0.12:
        audio = _band_limited(rng, audio)
    rms = float(np.sqrt(np.mean(np.square(audio)))) or 0.05
    if rng.random() < 0.7:
        noise = _noise(rng, len(audio), babble)
        snr = rng.uniform(8, 45)
        noise_rms = float(np.sqrt(np.mean(np.square(noise)))) or 1.0
        audio = audio + noise * np.float32(rms / noise_rms * 10 ** (-snr / 20))
    peak = float(np.abs(audio).max(initial=0.0)) or 1.0
    # Now and then louder than full scale: clipped.
    level = 1.5 if rng.random() < 0.04 else 10 ** rng.uniform(-1.6, 0.0)
    return np.clip(audio * np.float32(level / peak), -1, 1)


def _reverberated(rng: np.random.Generator, audio: Samples) -> Samples:
    decay = rng.uniform(0.05, 0.4)
    length = int(decay * SAMPLE_RATE)
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail[: int(0.002 * SAMPLE_RATE)] = 0
    tail *= rng.uniform(0.1, 0.7) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    wet: Samples = oaconvolve(audio, tail.astype(np.float32))[: len(audio)].astype(np.float32)
    return wet


def _band_limited(rng: np.random.Generator, audio: Samples) -> Samples:
    """A telephone's band, or a dull recording."""
    length = next_fast_len(len(audio), real=True)
    spectrum = rfft(audio, length)
    hertz = rfftfreq(length, 1 / SAMPLE_RATE)
    low = rng.choice((0.0, rng.uniform(80, 350)))
    high = rng.uniform(3000, 5500)
    spectrum[(hertz < low) | (hertz > high)] *= 0.01
    limited: Samples = irfft(spectrum, length)[: len(audio)].astype(np.float32)
    return limited


def _noise(rng: np.random.Generator, samples: int, babble: Babble) -> Samples:
    """Noise of one of several colours, a hum, or babble; its level may drift."""
    kind = rng.random()
    noise: NDArray[Any]
    if kind < 0.15:
        noise = babble(rng, samples)
    elif kind < 0.25:
        time = np.arange(samples) / SAMPLE_RATE
        base = rng.uniform(45, 130)
        harmonics = range(1, int(rng.integers(3, 12)))
        tones = [np.sin(2 * np.pi * base * k * time) / k for k in harmonics]
        noise = np.sum(tones, axis=0) + 0.05 * rng.standard_normal(samples)
    else:
        noise = rng.standard_normal(samples, dtype=np.float32)
        if kind < 0.75:
            slope = rng.uniform(-1.0, 0.2)
            length = next_fast_len(samples, real=True)
            hertz = np.maximum(rfftfreq(length, 1 / SAMPLE_RATE), 40).astype(np.float32)
            noise = irfft(rfft(noise, length) * (hertz / 1000) ** slope, length)[:samples]
    if rng.random() < 0.3:
        knots = 10 ** rng.uniform(-0.7, 0.0, 2 + samples // (2 * SAMPLE_RATE))
        envelope = np.interp(np.linspace(0, len(knots) - 1, samples), range(len(knots)), knots)
        noise = noise * envelope
    return np.asarray(noise, np.float32)


def equaliser(rng: np.random.Generator) -> Tensor:
    """A smooth change of the spectrum, (128, 1), in decades of power."""
    knots = rng.normal(0, 0.35, 6)
    curve = np.interp(np.linspace(0, 5, 128), range(6), knots - knots.mean())
    return torch.from_numpy(curve.astype(np.float32))[:, None]


def masked(rng: np.random.Generator, mel: Tensor) -> Tensor:
    """Hide bands of the spectrum and short stretches of time."""
    floor = float(mel.min())
    for _ in range(int(rng.integers(0, 3))):
        width = int(rng.integers(1, 16))
        low = int(rng.integers(0, 128 - width))
        mel[low : low + width] = floor
    for _ in range(mel.shape[1] // 500):
        width = int(rng.integers(1, 7))
        first = int(rng.integers(0, mel.shape[1] - width))
        mel[:, first : first + width] = floor
    return mel
