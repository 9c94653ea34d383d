"""A file as windows that can be transcribed side by side: cut where nobody speaks.

A window ends in the middle of the first pause after MIN_S. Where there is none, it
goes on: a word is never cut, and a file without pauses is one window. A pause is
PAUSE_S in which every hop of 20 ms is quiet: DEPTH_DB below the loud parts of the last
25 s, which no consonant is for so long, and within FLOOR_DB of their quietest, as a
second voice that is much softer is not; or below SILENCE_DB, whatever else there is.
"""

from __future__ import annotations

import numpy as np

from .engine import SAMPLE_RATE, Samples
from .speech import HOP, levels

MIN_S = 25.0
"""Shortest window, but for the last: so long that what each costs beside its own frames, a
prompt and the silence after its end, is about 5 %."""
PAUSE_S = 0.5
DEPTH_DB = 25.0
FLOOR_DB = 6.0
SILENCE_DB = -60.0

_PAUSE_HOPS = round(PAUSE_S * SAMPLE_RATE / HOP)
_MIN_HOPS = round(MIN_S * SAMPLE_RATE / HOP)


class Windows:
    """Cuts audio, as it comes block by block, into windows."""

    def __init__(self) -> None:
        self._held: Samples = np.empty(0, np.float32)
        self._levels: Samples = np.empty(0, np.float32)
        self._hops = 0

    def push(self, block: Samples) -> tuple[Samples, bool]:
        """Add a block: a whole number of hops, unless it is the last.

        Returns:
            Audio of the window, and whether the window ends with it. The last block is
            held back, since a pause may end in the next one.
        """
        new = levels(block)
        self._hops += len(new)
        self._levels = np.concatenate((self._levels, new))[-_MIN_HOPS:]
        audio = np.concatenate((self._held, block))
        cut = self._pause(len(audio) // HOP) if self._hops >= _MIN_HOPS else None
        if cut is None:
            ready, self._held = self._held, block
            return ready, False
        ready, self._held = audio[:cut], audio[cut:]
        self._levels = levels(self._held)
        self._hops = len(self._levels)
        return ready, True

    def finish(self) -> Samples:
        """The end of the last window."""
        return self._held

    def _pause(self, hops: int) -> int | None:
        """Samples up to the middle of the first pause in the last `hops`, if there is one."""
        floor, loud = np.percentile(self._levels, (5, 95))
        limit = np.float32(max(SILENCE_DB, min(loud - DEPTH_DB, floor + FLOOR_DB)))
        # Not so early that the window would be too short.
        early = max(0, _MIN_HOPS - (self._hops - hops) - _PAUSE_HOPS // 2)
        quiet = self._levels[-hops:][early:] < limit
        if len(quiet) < _PAUSE_HOPS:
            return None
        runs = np.lib.stride_tricks.sliding_window_view(quiet, _PAUSE_HOPS).all(axis=1)
        if not runs.any():
            return None
        return (early + int(np.argmax(runs)) + _PAUSE_HOPS // 2) * HOP
