"""Captions out of the events of a live session."""

from ..events import Event, Final, Partial, Resumed, Segment, ServerError, Word
from .captioner import Captioner
from .cue import CaptionRules, Cue
from .live_words import LiveWords


class LiveCaptions:
    """Takes every event of one session in its order, gives the cues that are out with it.

    A session that goes on at another server (`Resumed`) brings words again; none is doubled: words
    that are in no cue yet are withdrawn, and those that are out already are left out.
    """

    def __init__(self, rules: CaptionRules | None = None) -> None:
        self._words = LiveWords()
        self._captioner = Captioner(rules)

    def take(self, event: Event) -> list[Cue]:
        """The cues that an event brings; most bring none.

        Raises:
            ValueError: If the server does not say where words end.
        """
        match event:
            case Partial(text=text, end=end):
                return self._add(self._words.add(text, end))
            case Segment(end=end):
                return self._add(self._words.settle(end)) + self._captioner.end()
            case Final(text=text, words=words):
                return self._add(self._words.finish(text, words)) + self._captioner.end()
            case ServerError(turn=str()):
                return self.finish()
            case Resumed(text=text):
                self._captioner.withdraw(self._words.resume(text))
        return []

    def finish(self) -> list[Cue]:
        """The turn breaks off here: what was said so far is all there is of it."""
        return self._add(self._words.finish()) + self._captioner.end()

    def _add(self, words: list[Word]) -> list[Cue]:
        return [cue for word in words for cue in self._captioner.add(word)]
