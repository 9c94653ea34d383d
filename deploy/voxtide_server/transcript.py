"""Tokens to words with times, words to segments.

Token n of a stream tells of audio frame n. A word marker says that a word, or
several, ended in that frame; the text follows in this token and the next ones,
however many frames that takes, and blanks fill the rest. So

    end of a word = (n + 1/2) * 80 ms, with n the step of its marker,

the middle of the frame, and words under one marker share that end. The model
does not say where a word starts. The estimate here: where the words before it
ended, but no earlier than 80 ms for each character of the word (0.2 s at
least) before its own end, which is slow speech.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from .engine import FRAME_S, Vocabulary
from .events import Segment, Word

SEGMENT_PAUSE_S = 1.2
"""Time since the end of the last word after which a segment is complete. It runs on while
the next word is being said, so it is a pause and a word long."""

_SECONDS_PER_CHARACTER = 0.08
_SHORTEST_WORD_S = 0.2


@dataclass(slots=True)
class _Group:
    """What stands under one word marker."""

    end: float
    text: str = ""
    tokens: list[int] = field(default_factory=list)


class Transcript:
    """The growing transcript of one turn.

    Args:
        vocabulary: the model's tokens.
        start: where the turn's audio begins, in seconds.

    Attributes:
        segments: those that are complete.
        last_end: end of the last word, or the start of the turn.
        spelling: whether the last token was not a blank, so that more text of the
            same words may follow at once.
    """

    def __init__(self, vocabulary: Vocabulary, start: float) -> None:
        self.segments: list[Segment] = []
        self.last_end = start
        self.spelling = False
        self._vocabulary = vocabulary
        self._start = start
        self._text = ""
        self._groups: list[_Group] = []
        self._echo = ""
        self.resume()

    def resume(self) -> None:
        """Tokens that follow come from a new stream of the engine.

        Words that were being spelt are taken back, since their rest may be missing:
        the new stream has to hear all that came after `settled_end`, and brings them
        again. What of them is out already is not returned twice.
        """
        if self.spelling and self._groups:
            self.last_end = self.settled_end
            self._echo = self._groups.pop().text.lstrip() + self._echo
        self._echo_begins = True
        self.spelling = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._resumed = True

    @property
    def settled_end(self) -> float:
        """End of the last word that is out as a whole, or the start of the turn."""
        if not self.spelling:
            return self.last_end
        if len(self._groups) > 1:
            return self._groups[-2].end
        return self.segments[-1].end if self.segments else self._start

    @property
    def text(self) -> str:
        """All that was returned by `push`, without surrounding space."""
        return self._text.strip()

    def push(self, token: int, frame_start: float) -> str:
        """Take the token of the frame that starts at `frame_start` seconds.

        Returns:
            New text, to be appended to what was returned before; mostly "".
        """
        was_spelling, self.spelling = self.spelling, True
        if token == self._vocabulary.word:
            self._mark(frame_start)
        elif piece := self._vocabulary.piece(token):
            if not was_spelling:  # text without a marker
                self._mark(frame_start)
            return self._spell(token, self._utf8.decode(piece))
        else:  # a blank, or a control token that says no more
            self.spelling = False
            if not self._echo_begins:
                self._echo = ""
        return ""

    def pause(self, now: float) -> Segment | None:
        """The segment that a pause has completed by `now`, if any."""
        if self.spelling or now - self.last_end < SEGMENT_PAUSE_S:
            return None
        return self.close()

    def close(self) -> Segment | None:
        """Complete the segment with what is there; None if there is no text."""
        if not self._groups:
            return None
        groups, self._groups = self._groups, []
        text = "".join(group.text for group in groups).strip()
        words = tuple(_words(groups, self.segments[-1].end if self.segments else self._start))
        if not words:
            return None
        tokens = tuple(token for group in groups for token in group.tokens)
        segment = Segment(len(self.segments), text, words, tokens)
        self.segments.append(segment)
        return segment

    def _mark(self, frame_start: float) -> None:
        self.last_end = frame_start + FRAME_S / 2
        self._groups.append(_Group(self.last_end))

    def _spell(self, token: int, text: str) -> str:
        if self._resumed and self._text and continues(text):
            text = " " + text
        self._resumed = self._resumed and not text  # half a character decodes to nothing
        self._groups[-1].text += text
        self._groups[-1].tokens.append(token)
        text = self._without_echo(text)
        self._text += text
        return text

    def _without_echo(self, text: str) -> str:
        """What of a text is not out already."""
        if not self._echo or not text:
            return text
        again = text.lstrip() if self._echo_begins else text
        common = min(len(self._echo), len(again))
        if self._echo[:common] != again[:common]:  # it was heard otherwise this time
            self._echo = ""
            return f" {self._groups[-1].text.strip()}"
        self._echo, self._echo_begins = self._echo[common:], False
        return again[common:]


def continues(text: str) -> bool:
    """Whether text belongs to the word before it: no space, and no script without spaces.

    A new stream of the engine does not know that there was a word before: its first
    text is to be set off by a space where this is so.
    """
    if not text or text[0].isspace():
        return False
    spaceless = unicodedata.east_asian_width(text[0]) in "WF" and (
        "HANGUL" not in unicodedata.name(text[0], "")
    )
    return not spaceless or unicodedata.category(text[0]).startswith("P")


def _words(groups: list[_Group], previous_end: float) -> Iterator[Word]:
    word: Word | None = None
    for group in groups:
        texts = group.text.split()
        if word is not None and continues(group.text):
            # The rest of the word before, such as its punctuation.
            word = Word(word.text + texts.pop(0), word.start, group.end)
        for text in texts:
            if word is not None:
                yield word
                previous_end = word.end if word.end < group.end else previous_end
            word = Word(text, _start(text, previous_end, group.end), group.end)
    if word is not None:
        yield word


def _start(text: str, previous_end: float, end: float) -> float:
    longest = max(_SHORTEST_WORD_S, _SECONDS_PER_CHARACTER * len(text))
    return min(end, max(previous_end, end - longest))
