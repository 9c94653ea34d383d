"""Words out of pieces of text, each with the time at which it was complete."""

from dataclasses import dataclass

from .text import begins_word


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as it came.

    `end` is where the word ends in the audio, in seconds, None if the server does not say;
    `arrived` is the time at which its last piece came, on the clock of the caller.
    """

    text: str
    end: float | None
    arrived: float = 0.0


class WordCollector:
    """Puts together the words of one turn.

    Attributes:
        words: Those that are complete.
        current: The one that may still grow.
    """

    def __init__(self) -> None:
        self.words: list[TimedWord] = []
        self.current: TimedWord | None = None

    def add(self, text: str, end: float | None, arrived: float = 0.0) -> None:
        """Take a piece of text; a word is complete when a space or the next word comes."""
        for char in text:
            if self.current is not None and (
                char.isspace() or begins_word(self.current.text[-1], char)
            ):
                self.close()
            if not char.isspace():
                before = "" if self.current is None else self.current.text
                self.current = TimedWord(before + char, end, arrived)

    def close(self) -> None:
        """The current word, if there is one, is complete."""
        if self.current is not None:
            self.words.append(self.current)
            self.current = None

    def keep(self, count: int) -> None:
        """Forget all words but the first `count`, the current one counted as the last."""
        if count <= len(self.words):
            self.current = None
            del self.words[count:]
