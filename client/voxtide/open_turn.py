"""What is known of the turn that is being transcribed, over all connections.  No I/O."""

from dataclasses import replace
from math import inf

from .events import Final, Partial, Segment, Word

# The ends of words are told in whole milliseconds, and a position in the audio is a whole sample.
_SAME_S = 0.001


class OpenTurn:
    """The text, the words and the name of a turn that is not final.

    Attributes:
        name: As the first connection named it, "" before it did.
        start: Where it begins in seconds, None while the server has not said.
        started, ended: Whether the caller was told that it has (`TurnStarted`, `TurnEnded`).
    """

    def __init__(self) -> None:
        self.name = ""
        self.start: float | None = None
        self.started = self.ended = False
        self._pieces: list[Partial] = []
        self._words: list[Word] = []
        # How many of the words earlier connections brought, and up to where in the audio.
        self._kept = 0
        self._kept_until = -inf
        self._segments_end = -inf

    @property
    def text(self) -> str:
        """What the caller has been told of it."""
        return "".join(piece.text for piece in self._pieces)

    def add(self, piece: Partial) -> None:
        """More text."""
        self._pieces.append(piece)

    def settle(self, words: tuple[Word, ...], start: float | None) -> None:
        """These words are acknowledged, and the turn begins there."""
        self._words += words
        self.start = start

    def cut(self, acknowledged: float) -> None:
        """Another connection hears what came after this position again: take that back."""
        whole = acknowledged + _SAME_S
        self._pieces = [p for p in self._pieces if p.end is not None and p.end <= whole]
        self._words = [word for word in self._words if word.end <= whole]
        self._kept, self._kept_until = len(self._words), acknowledged

    def segment(self, segment: Segment) -> Segment:
        """A segment, with the words of it that an earlier connection brought."""
        before, self._segments_end = self._segments_end, segment.end
        words = tuple(word for word in self._words[: self._kept] if word.end > before)
        if not words or not segment.words or before >= self._kept_until:
            return segment
        pieces = [p for p in self._pieces if p.end is not None and before < p.end <= segment.end]
        text = "".join(piece.text for piece in pieces).strip()
        return replace(segment, text=text, start=words[0].start, words=words + segment.words)

    def final(self, final: Final) -> Final:
        """The final transcript, with what earlier connections brought of it."""
        kept = tuple(self._words[: self._kept])
        if not kept and not any((p.end or inf) <= self._kept_until for p in self._pieces):
            return final
        return replace(final, text=self.text.strip(), words=kept + final.words)
