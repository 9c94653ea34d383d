"""Words with start and end out of the text of a live turn."""

from ..events import Word
from .collector import TimedWord, WordCollector
from .text import split

_SECONDS_PER_CHARACTER = 0.08
_SHORTEST_WORD_SECONDS = 0.2
_NO_TIMES = "this server does not say where words end, which captions need"


class LiveWords:
    """The words of the open turn, told once each is complete.

    A word is complete when the space after it comes, or the next word in a script without spaces,
    or the turn or segment ends.  Its end is the `end` of its last piece.  Its start is an estimate,
    the server's (docs/protocols.md): where the words before it ended, but not earlier than 80 ms
    for each character (0.2 s at least) before its own end.
    """

    def __init__(self) -> None:
        self._collector = WordCollector()
        self._told = 0
        self._end_before = self._last_end = 0.0

    def add(self, text: str, end: float | None) -> list[Word]:
        """Take the text of a `Partial`; returns the words that it completes.

        Raises:
            ValueError: If `end` is None: the server does not say where words end.
        """
        if end is None:
            raise ValueError(_NO_TIMES)
        self._collector.add(text, end)
        return self._news()

    def settle(self, end: float) -> list[Word]:
        """A segment has ended there: a word that ends by then is complete."""
        current = self._collector.current
        if current is not None and _end(current) <= end:
            self._collector.close()
        return self._news()

    def finish(self, text: str = "", words: tuple[Word, ...] = ()) -> list[Word]:
        """The turn has ended.

        Args:
            text: That of its `Final`.
            words: Those of its `Final`: what of them has not been told is told now.

        Raises:
            ValueError: For text of which no word came with a time.
        """
        if text and not (words or self._told or self._collector.current):
            raise ValueError(_NO_TIMES)
        rest = [(part, word.end) for word in words for part in split(word.word)][self._told :]
        if words:
            self._collector.keep(self._told)
            for part, end in rest:
                self._collector.add(f"{part} ", end)
        self._collector.close()
        news = self._news()
        self._collector, self._told = WordCollector(), 0
        return news

    def resume(self, text: str) -> int:
        """The text of the turn is this one now; returns how many words told do not stand."""
        self._collector.keep(len(split(text)))
        dropped = max(0, self._told - len(self._collector.words))
        if dropped:
            self._told -= dropped
            self._end_before = self._last_end = self._collector_end()
        return dropped

    def _collector_end(self) -> float:
        words = self._collector.words
        return _end(words[-1]) if words else 0.0

    def _news(self) -> list[Word]:
        news = [self._word(word) for word in self._collector.words[self._told :]]
        self._told = len(self._collector.words)
        return news

    def _word(self, timed: TimedWord) -> Word:
        end = max(_end(timed), self._last_end)
        if end > self._last_end:
            self._end_before, self._last_end = self._last_end, end
        longest = max(_SHORTEST_WORD_SECONDS, _SECONDS_PER_CHARACTER * len(timed.text))
        return Word(timed.text, max(self._end_before, end - longest), end)


def _end(word: TimedWord) -> float:
    return 0.0 if word.end is None else word.end
