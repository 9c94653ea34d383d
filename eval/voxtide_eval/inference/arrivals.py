"""What was shown when, while an utterance was heard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from rapidfuzz.distance import Levenshtein


class Arrivals:
    """The growing transcript of one utterance.

    All times are seconds from the same moment on.
    """

    def __init__(self) -> None:
        self._pieces: list[tuple[float, str]] = []

    def add(self, at: float, text: str) -> None:
        """New text, to be appended as it is."""
        if text:
            self._pieces.append((at, text))

    @property
    def first(self) -> float | None:
        """When the first letter came; None: none has."""
        return next((at for at, text in self._pieces if text.strip()), None)

    def shown(self) -> tuple[tuple[float, str], ...]:
        """The whole transcript after each piece."""
        text = ""
        whole = []
        for at, piece in self._pieces:
            text += piece
            whole.append((at, text.strip()))
        return tuple(whole)

    def emitted(self, words: Sequence[str], final: float) -> tuple[float, ...]:
        """When each word of the final transcript was first shown to its last letter.

        Args:
            words: of the final transcript. They need not be cut at spaces, where it has the
                letters that were shown.
            final: when it came; stands for a word that had not been shown before.
        """
        letters = [(letter, at) for at, text in self._pieces for letter in text if letter.strip()]
        sizes = [len("".join(word.split())) for word in words]
        if "".join("".join(words).split()) == "".join(letter for letter, _ in letters):
            return tuple(letters[end - 1][1] for end in accumulate(sizes))
        known = _matched(self._words(), words)
        return tuple(known.get(position, final) for position in range(len(words)))

    def _words(self) -> list[tuple[str, float]]:
        """What was shown, cut at spaces, and when the last letter of each word came."""
        text = "".join(piece for _, piece in self._pieces)
        times = [at for at, piece in self._pieces for _ in piece]
        return [(found[0], times[found.end() - 1]) for found in re.finditer(r"\S+", text)]


def _matched(shown: Sequence[tuple[str, float]], words: Sequence[str]) -> dict[int, float]:
    """When those words came that are in both, by the fewest edits; by their positions."""
    known: dict[int, float] = {}
    for step in Levenshtein.opcodes([word for word, _ in shown], list(words)):
        if step.tag == "equal":
            times = (at for _, at in shown[step.src_start : step.src_end])
            known.update(zip(range(step.dest_start, step.dest_end), times, strict=True))
    return known
