"""Live streams first: how many bulk streams a step may take beside them.

Every stream that has audio gets one token in a step, so none is starved by one that
has more of it; but each stream makes the step longer for all. So the number of bulk
streams, those of files, is adapted until a step that holds both kinds takes no longer
than STEP_S: one more after a step that was shorter, a quarter fewer after one that was
not (additive increase, multiplicative decrease: Chiu and Jain, 1989). They take turns.
Without live streams they are not limited.
"""

from __future__ import annotations

STEP_S = 0.04
"""Seconds that a step may take while live streams wait in it: half a frame, so that a live
stream never falls behind because of files that are decoded beside it."""


class Fairness:
    """Decides for one step after the other."""

    def __init__(self) -> None:
        self._share = 1.0
        self._turn = 0
        self._held_back: set[str] = set()
        self._mixed = False
        self._began = 0.0

    def begin(self, bulk: list[str], live: bool, now: float) -> None:
        """A step begins.

        Args:
            bulk: bulk streams that have audio.
            live: whether a live stream has.
            now: seconds of a monotonic clock.
        """
        self._began = now
        self._mixed = live and bool(bulk)
        self._held_back = set()
        if self._mixed:
            self._share = min(self._share, len(bulk))
            count = int(self._share)
            first = self._turn % len(bulk)
            self._turn += count
            self._held_back = set((bulk[first:] + bulk[:first])[count:])

    def allows(self, stream: str) -> bool:
        """Whether a stream may be in the step."""
        return stream not in self._held_back

    @property
    def holds_back(self) -> bool:
        """Whether a stream has to wait for another step."""
        return bool(self._held_back)

    def end(self, now: float) -> None:
        """The step is over."""
        if self._mixed:
            late = now - self._began > STEP_S
            self._share = max(1.0, self._share * 0.75) if late else self._share + 1
