"""From words to cues, which never change once they are out.

A cue is out as soon as its text is settled: the next word does not fit, a sentence, a turn or a
segment has ended, or nobody spoke for a while.  Its times are settled then as well:

    start = start of its first word, but not before the cue before has ended, and a gap
    end   = start + the time to read it; later if its last word ends later, within the limits

So every cue can be read at the stated speed, whatever was said before or comes next.  Where people
speak faster than that, a cue goes on after its words have ended, and the next one starts late.
It starts no later than it must: as soon as those before it have been read.
"""

import math
from collections.abc import Sequence

from ..events import Word
from .breaks import break_cue, break_lines, ends_sentence
from .cue import CaptionRules, Cue
from .text import Piece, cut, width


class Captioner:
    """Makes cues from words with times, which come in their order as they become complete."""

    def __init__(self, rules: CaptionRules | None = None) -> None:
        self._rules = rules or CaptionRules()
        self._open: list[Piece] = []
        self._free_ms = 0
        self._out_until = 0.0
        self._heard_again_until = -math.inf

    def add(self, word: Word) -> list[Cue]:
        """Take the next word; white space and control characters in it are left out.

        Raises:
            ValueError: For times that are not 0 <= start <= end.
        """
        if not 0 <= word.start <= word.end < math.inf:
            raise ValueError(f"times of a word must be 0 <= start <= end, not {word}")
        text = _printable(word.word)
        if not text or self._is_out(word):
            return []
        cues = self.advance(word.start)
        for piece in cut(Piece(text, word.start, word.end), self._rules.max_line):
            self._open.append(piece)
            while not self._fits():
                cues.append(self._close(break_cue(self._open)))
        if ends_sentence(self._open[-1]) and self._reading_ms(self._open) >= self._min_ms:
            cues += self.end()
        return cues

    def end(self) -> list[Cue]:
        """A turn or a segment has ended: what is open is a cue now."""
        return [self._close(len(self._open))] if self._open else []

    def advance(self, now: float) -> list[Cue]:
        """Every word that ends before `now`, in seconds of audio, has come: a pause ends a cue."""
        silent = bool(self._open) and now - self._open[-1].end >= self._rules.pause
        return self.end() if silent else []

    def withdraw(self, count: int) -> None:
        """The last `count` words do not count: they will be heard again.

        Those that are out already stay, and are left out when they come again, perhaps otherwise:
        a word that lies mostly before the end of the last word that is out was heard before.
        """
        for _ in range(count):
            begin = max(
                (n for n, piece in enumerate(self._open) if not piece.continues), default=-1
            )
            if begin < 0:
                last = self._open[-1].end if self._open else self._out_until
                self._heard_again_until = last
                return
            del self._open[begin:]

    def _is_out(self, word: Word) -> bool:
        if (word.start + word.end) / 2 < self._heard_again_until:
            return True
        self._heard_again_until = -math.inf
        return False

    def _fits(self) -> bool:
        if len(self._open) == 1:
            return True
        lasts = round(self._open[-1].end * 1000) - self._start_ms(self._open)
        return lasts <= self._max_ms and bool(self._lines(self._open))

    def _close(self, count: int) -> Cue:
        said, self._open = self._open[:count], self._open[count:]
        start = self._start_ms(said)
        lasts = min(self._max_ms, round(said[-1].end * 1000) - start)
        end = start + max(self._min_ms, self._reading_ms(said), lasts)
        self._free_ms = end + math.ceil(self._rules.gap * 1000)
        self._out_until = said[-1].end
        return Cue(start / 1000, end / 1000, self._lines(said))

    def _start_ms(self, pieces: Sequence[Piece]) -> int:
        return max(round(pieces[0].start * 1000), self._free_ms)

    def _reading_ms(self, pieces: Sequence[Piece]) -> int:
        return self._rules.reading_ms(width("\n".join(self._lines(pieces))))

    def _lines(self, pieces: Sequence[Piece]) -> tuple[str, ...]:
        return break_lines(pieces, self._rules.max_line, self._rules.max_lines)

    @property
    def _min_ms(self) -> int:
        return math.ceil(self._rules.min_duration * 1000)

    @property
    def _max_ms(self) -> int:
        return math.floor(self._rules.max_duration * 1000)


def _printable(word: str) -> str:
    return "".join(char for char in "".join(word.split()) if char.isprintable() or _joins(char))


def _joins(char: str) -> bool:
    """Whether a character that cannot be seen shapes others: the joiners of Persian and Hindi."""
    return char in "\u200c\u200d"
