"""Three minutes of speech that are heard right, and where trouble comes in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.conftest import Clip
from tests.integration.audio import pcm16
from tests.integration.live import SURE

FRAME = 2 * 1280
SECONDS = 180
CUTS = 20


@dataclass(frozen=True)
class Talk:
    """Three minutes of speech in three turns.

    Attributes:
        pcm: PCM16 at 16 kHz.
        flushes: frames after which a turn ends.
        cuts: frames before which the connection is lost; the speaker waits for one.
    """

    pcm: bytes
    flushes: frozenset[int]
    cuts: frozenset[int]

    def frames(self) -> Iterator[tuple[int, bytes]]:
        for at in range(0, len(self.pcm), FRAME):
            yield at // FRAME, self.pcm[at : at + FRAME]


def three_minutes(clips: list[Clip]) -> Talk:
    """Known-good clips with pauses between, and where to cut: twice in the middle of a word."""
    chance = random.Random(20)
    sure = [clip for clip in clips if clip.path.stem in SURE]
    pcm, words = b"", []
    while len(pcm) < SECONDS * 32_000:
        clip = chance.choice(sure)
        words += [len(pcm) / 32_000 + end - 0.2 for end in clip.ends]
        pcm += pcm16(clip.path).tobytes() + bytes(2 * round(16_000 * chance.uniform(0.3, 1.5)))
    frames = len(pcm) // FRAME
    cuts = chance.sample(range(30, frames - 30), CUTS)
    for number in chance.sample(range(CUTS), 2):
        cuts[number] = min(
            (round(word / 0.08) for word in words), key=lambda f: abs(f - cuts[number])
        )
    return Talk(pcm, frozenset({frames // 3, 2 * frames // 3}), frozenset(cuts))
