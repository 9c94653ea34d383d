"""Which fault is next: by chance, and each as often as the others."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence


class Deck:
    """Cards that are shuffled, drawn to the last one, and shuffled again.

    Args:
        names: of the faults.
        rng: where chance comes from.
    """

    def __init__(self, names: Sequence[str], rng: random.Random) -> None:
        self._names = names
        self._rng = rng
        self._left: list[str] = []

    def draw(self, possible: Callable[[str], bool]) -> str | None:
        """The next fault that is possible now; None if none is.

        Those before it stay for the next time; if none is left that is possible, the pack is
        shuffled anew beneath them.
        """
        for name in self._left:
            if possible(name):
                self._left.remove(name)
                return name
        if not any(possible(name) for name in self._names):
            return None
        self._left += self._rng.sample(self._names, len(self._names))
        return self.draw(possible)
