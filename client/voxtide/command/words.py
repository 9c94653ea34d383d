"""Words out of pieces of text, each with the time at which it was complete."""

import re
from dataclasses import dataclass, replace

_SPACE_OR_NOT = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as it came.

    `end` is where the word ends in the audio, in seconds, None if the server does not say;
    `arrived` is the time at which its last piece came, on the clock of the caller.
    """

    text: str
    end: float | None
    arrived: float


class WordCollector:
    """Puts together the words of one turn."""

    def __init__(self) -> None:
        self.words: list[TimedWord] = []
        self.current: TimedWord | None = None

    def add(self, text: str, end: float | None, arrived: float) -> None:
        """Take a piece of text; a word is complete when the space after it comes."""
        for part in _SPACE_OR_NOT.findall(text):
            if part.isspace():
                self.close()
            else:
                self.current = self._grown(TimedWord(part, end, arrived))

    def close(self) -> None:
        """The current word, if there is one, is complete."""
        if self.current is not None:
            self.words.append(self.current)
            self.current = None

    def _grown(self, piece: TimedWord) -> TimedWord:
        if self.current is None:
            return piece
        return replace(piece, text=self.current.text + piece.text)
