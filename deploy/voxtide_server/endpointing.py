"""Where somebody begins to speak and where they stop, by energy against the noise around.

A hop (20 ms) is voiced if its level is well above the noise floor, which follows the
quietest hops: down at once, up slowly. Speech begins with three voiced hops out of
five, and ends with a silence in which no two hops in a row are voiced. The model
has the last word (session.py): what energy takes for speech and has no words for
long ends too, and a word that energy missed begins a turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from .engine import SAMPLE_RATE, Samples
from .speech import HOP, levels

HOP_S = HOP / SAMPLE_RATE
FLOOR_DB, CEILING_DB = -70.0, -30.0
"""Between these the noise floor is looked for."""
SOFTEST_DB = -55.0
"""Softer than this nothing is voiced."""
RISE_DB = 0.02
"""How much the floor may rise in a hop: 1 dB a second."""
_ONSET, _OF = 3, 5
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "।")


@dataclass(frozen=True, slots=True)
class Detection:
    """How turns are found.

    Attributes:
        threshold: from 0 to 1: how far above the noise speech has to be, 6 to 18 dB.
        prefix_s: how much before its first voiced hop speech is said to begin.
        silence_s: silence that ends a turn.
        idle_s: time without speech after which a turn is ended all the same, or None.
        semantic: whether half the silence is enough after the end of a sentence.
    """

    threshold: float = 0.5
    prefix_s: float = 0.3
    silence_s: float = 0.5
    idle_s: float | None = None
    semantic: bool = False


class Change(Enum):
    """What has changed at the end of a piece of audio."""

    STARTED = auto()
    STOPPED = auto()
    IDLE = auto()


class Endpointer:
    """Follows one stream of audio.

    Args:
        detection: how.

    Attributes:
        detection: as it was given.
        silence_s: silence that ends a turn now.
        speaking: whether somebody is.
        onset_s: how long before the last change to STARTED speech began, padding included.
    """

    def __init__(self, detection: Detection) -> None:
        self.silence_s = detection.silence_s
        self.speaking = False
        self.onset_s = 0.0
        self.detection = detection
        self._margin_db = 6 + 12 * detection.threshold
        self._floor_db: float | None = None
        self._rest = np.empty(0, np.float32)
        self._recent: deque[bool] = deque(maxlen=_OF)
        self._quiet_s = 0.0

    def push(self, samples: Samples) -> Iterator[tuple[Samples, Change | None]]:
        """Follow more audio.

        Yields:
            The samples in pieces, each with what has changed at its end.
        """
        audio = np.concatenate((self._rest, samples))
        begin, done = len(self._rest), 0
        for number, level in enumerate(levels(audio).tolist()):
            change = self._hop(level)
            if change is not None:
                end = max(begin, (number + 1) * HOP)
                yield audio[begin + done : end], change
                done = end - begin
        self._rest = audio[len(audio) // HOP * HOP :]
        if begin + done < len(audio):
            yield audio[begin + done :], None

    def heard(self, text: str) -> None:
        """There was a word, whatever energy says: nobody is idle.

        Args:
            text: of it, as far as it is there.
        """
        if not self.speaking:
            self._quiet_s = 0.0
        if self.detection.semantic:
            ended = text.rstrip().endswith(_SENTENCE_ENDS)
            self.silence_s = self.detection.silence_s / (2 if ended else 1)

    def rest(self) -> None:
        """A turn has ended for another reason: nobody is speaking until it is heard again."""
        self.speaking = False
        self._quiet_s = 0.0
        self._recent.clear()

    def _hop(self, level: float) -> Change | None:
        voiced = self._voiced(level)
        self._recent.append(voiced)
        if self.speaking:
            # One hop alone is a click.
            both = voiced and len(self._recent) > 1 and self._recent[-2]
            self._quiet_s = 0.0 if both else self._quiet_s + HOP_S
            # A hop that is voiced may be the first of the next word.
            if voiced or self._quiet_s < self.silence_s - 1e-9:
                return None
            self.rest()
            return Change.STOPPED
        if sum(self._recent) >= _ONSET:
            before = len(self._recent) - list(self._recent).index(True)
            self.onset_s = before * HOP_S + self.detection.prefix_s
            self.speaking = True
            self._quiet_s = 0.0
            return Change.STARTED
        self._quiet_s += HOP_S
        idle_s = self.detection.idle_s
        if idle_s is not None and self._quiet_s >= idle_s - 1e-9:
            self.rest()
            return Change.IDLE
        return None

    def _voiced(self, level: float) -> bool:
        if self._floor_db is None:
            self._floor_db = min(max(level, FLOOR_DB), SOFTEST_DB)
        voiced = level > max(self._floor_db + self._margin_db, SOFTEST_DB)
        floor = level if level < self._floor_db else self._floor_db + RISE_DB
        self._floor_db = min(max(floor, FLOOR_DB), CEILING_DB)
        return voiced
