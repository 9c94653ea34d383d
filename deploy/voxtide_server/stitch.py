"""The turns of a file, one for each of its windows, as one turn."""

from __future__ import annotations

from dataclasses import replace

from .events import Completed, Delta
from .transcript import continues


class Stitch:
    """Joins turns that come in their order."""

    def __init__(self) -> None:
        self._text = ""
        self._turn = ""
        self._done: list[Completed] = []

    def delta(self, delta: Delta) -> Delta:
        """A delta of any turn as one of the whole."""
        text = delta.text
        if delta.turn != self._turn and text:
            if self._text and continues(text):
                text = f" {text}"
            self._turn = delta.turn
        self._text += text
        return replace(delta, text=text)

    def add(self, completed: Completed) -> None:
        """A turn is complete."""
        self._done.append(completed)

    def whole(self) -> Completed:
        """All turns as one; there must be one at least."""
        segments = [segment for turn in self._done for segment in turn.segments]
        return replace(
            self._done[0],
            text=self._text.strip(),
            segments=tuple(replace(s, number=number) for number, s in enumerate(segments)),
            end=self._done[-1].end,
            prompt_tokens=sum(turn.prompt_tokens for turn in self._done),
            completion_tokens=sum(turn.completion_tokens for turn in self._done),
        )
