"""Whether a stretch of audio holds speech that nobody can miss, by its energy alone.

It is asked only where the model has said nothing for seconds, and a wrong yes costs
no more than hearing that stretch twice. So it is strict: steady noise, hum, silence
with clicks and soft voices all count as no.
"""

from __future__ import annotations

import numpy as np

from .engine import SAMPLE_RATE, Samples

HOP = SAMPLE_RATE // 50
"""Samples of a hop: 20 ms, shorter than a syllable and longer than a pitch period."""

LOUD_DB = -45.0
"""Level of speech that is clear, in dB below full scale."""
SWING_DB = 20.0
"""How far syllables rise above the gaps between them: steady sounds do not."""
BUSY = 0.15
"""Part of the time that speech fills with hops that are nearly as loud as its loudest."""


def levels(samples: Samples) -> Samples:
    """Level of each hop in dB below full scale, shape (hops,); an incomplete one is left out."""
    hops = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    power = np.mean(np.square(hops), axis=1)
    decibels: Samples = 10 * np.log10(np.maximum(power, 1e-12)).astype(np.float32)
    return decibels


def is_clear_speech(samples: Samples) -> bool:
    """Whether this is loud, changes as fast as syllables do, and is no few clicks."""
    level = levels(samples)
    if not len(level):
        return False
    low, high = np.percentile(level, (10, 95))
    busy = np.mean(level > high - SWING_DB / 2)
    return bool(high >= LOUD_DB and high - low >= SWING_DB and busy >= BUSY)
