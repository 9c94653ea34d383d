"""Audio in which nothing is said, made when it is read: what a model writes there it made up."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from .audio import Made
from .decoding import Samples
from .definition import Dataset, Utterance

RATE = 16_000
"""In Hz."""
_SILENCES_S = (1.0, 5.0, 10.0, 30.0, 60.0)
_LEVELS_DBFS = (-60, -50, -40, -30, -20)
_NOISE_S = 30.0
_OCTAVES = 16
_BLOCK = 1 << (_OCTAVES - 1)


@dataclass(frozen=True)
class Wordless:
    """Silence of several lengths, or noise of several levels, 30 s each; always the same.

    Args:
        kind: digital silence; white noise; pink noise, whose power is the same in every octave.
        seed: of the noise.
    """

    kind: Literal["silence", "white", "pink"]
    seed: int = 0

    @property
    def revision(self) -> str:
        return ""

    def count(self, dataset: Dataset, split: str) -> int:
        return len(_SILENCES_S) if self.kind == "silence" else len(_LEVELS_DBFS)

    def utterances(
        self, dataset: Dataset, split: str, only: Container[int] | None
    ) -> Iterator[Utterance]:
        for position in range(self.count(dataset, split)):
            if only is None or position in only:
                yield self._utterance(dataset, position)

    def _utterance(self, dataset: Dataset, position: int) -> Utterance:
        if self.kind == "silence":
            seconds, name = _SILENCES_S[position], f"silence-{_SILENCES_S[position]:.0f}s"
        else:
            seconds, name = _NOISE_S, f"{self.kind}{_LEVELS_DBFS[position]}dbfs"
        audio = Made(RATE, partial(self._blocks, position, round(seconds * RATE)))
        return Utterance(name, "", dataset.language, "", seconds, (), audio)

    def _blocks(self, position: int, samples: int) -> Iterator[Samples]:
        random = np.random.default_rng((self.seed, position))
        level = 10 ** (_LEVELS_DBFS[position] / 20)
        for start in range(0, samples, _BLOCK):
            block = self._block(random) * level
            yield np.clip(block[: samples - start], -1, 1).astype(np.float32)

    def _block(self, random: np.random.Generator) -> Samples:
        """Samples with a mean power of 1; of silence 0."""
        if self.kind == "silence":
            return np.zeros(_BLOCK, np.float32)
        if self.kind == "white":
            return random.standard_normal(_BLOCK, np.float32)
        return _pink(random)


def _pink(random: np.random.Generator) -> Samples:
    """Voss's method: as many random values, added up, as octaves, each held twice as long as the
    one before (R. F. Voss, J. Clarke: "1/f noise in music", J. Acoust. Soc. Am. 63, 1978).
    """
    octaves = (
        np.repeat(random.standard_normal(_BLOCK >> octave, np.float32), 1 << octave)
        for octave in range(_OCTAVES)
    )
    return np.asarray(sum(octaves) / np.sqrt(_OCTAVES), np.float32)
