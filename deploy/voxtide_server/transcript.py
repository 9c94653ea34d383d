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
import math
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from .engine import FRAME_S, Vocabulary
from .events import Scored, Segment, Word

SEGMENT_PAUSE_S = 1.2
"""Time since the end of the last word after which a segment is complete. It runs on while
the next word is being said, so it is a pause and a word long."""

LONGEST_WORD_S = 3.0
"""No word lasts longer."""
GAP_S = 0.3
"""Silence between two words by which they are apart for certain: the model may mark a word's
end some frames too late."""
# Positions are whole samples, times are sums of fractions.
_SAME_S = 1e-6
# Another session's end comes from a client, which may have it in whole milliseconds or samples.
_TOLD_S = 0.001
_SECONDS_PER_CHARACTER = 0.08
_SHORTEST_WORD_S = 0.2


@dataclass(slots=True)
class _Group:
    """What stands under one word marker."""

    end: float
    text: str = ""
    tokens: list[int] = field(default_factory=list)
    logprobs: list[Scored] = field(default_factory=list)


class Transcript:
    """The growing transcript of one turn.

    Args:
        vocabulary: the model's tokens.
        start: where the turn's audio begins, in seconds; words that end up to there are
            another session's.
        continued: whether there may be such words.

    Attributes:
        segments: those that are complete.
        last_end: end of the last word, or the start of the turn.
        begun: whether there was a word, another session's counted.
        spelling: whether the last token was not a blank, so that more text of the
            same words may follow at once.
        audio_end: where the turn's audio ends, once that is known: in the padding after it
            there is no gap, since the audio may have ended in the middle of a word.
        last_gap: the middle of the last gap between two words, before which another
            session need not listen; or the start of the turn.
    """

    def __init__(self, vocabulary: Vocabulary, start: float, continued: bool = False) -> None:
        self.segments: list[Segment] = []
        self.last_end = self.last_gap = start
        self.audio_end = math.inf
        self.begun = False
        self.spelling = False
        self._vocabulary = vocabulary
        self._start = self._told = start
        self._continued = continued
        self._text = ""
        self._groups: list[_Group] = []
        self._known = False  # whether the word that is being spelt is another session's
        self._echo = ""
        self._fresh: list[Scored]
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
        self._fresh = []
        self.spelling = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._resumed = True

    @property
    def settled_end(self) -> float:
        """End of the last word that is out as a whole, or the start of the turn."""
        if not self.spelling:
            return self.last_end
        return self._groups[-2].end if len(self._groups) > 1 else self._segments_end

    @property
    def _segments_end(self) -> float:
        return self.segments[-1].end if self.segments else self._start

    @property
    def text(self) -> str:
        """All that was returned by `push`, without surrounding space."""
        return self._text.strip()

    def push(self, token: int, frame_start: float, logprob: float | None = None) -> str:
        """Take the token of the frame that starts at `frame_start` seconds.

        Args:
            logprob: of the token, where it is known.

        Returns:
            New text, to be appended to what was returned before; mostly "".
        """
        was_spelling, self.spelling = self.spelling, True
        if token == self._vocabulary.word:
            self._mark(frame_start)
        elif piece := self._vocabulary.piece(token):
            self.begun = True
            if not was_spelling:  # text without a marker
                self._mark(frame_start)
            if self._known:
                return ""
            scored = None if logprob is None else Scored(piece, logprob)
            return self._spell(token, self._utf8.decode(piece), scored)
        else:  # a blank, or a control token that says no more
            if was_spelling and self._groups:
                self._note_gap()
            elif frame_start - self.last_end >= 2 * GAP_S and frame_start < self.audio_end:
                # The next word may have begun since, and no word is longer than this.
                begun = frame_start - LONGEST_WORD_S
                self.last_gap = max(self.last_gap, self.last_end + GAP_S, begun)
            self.spelling = False
            if not self._echo_begins:
                self._echo = ""
        return ""

    def fresh_logprobs(self) -> tuple[Scored, ...]:
        """Of the text tokens since this was asked last."""
        fresh, self._fresh = tuple(self._fresh), []
        return fresh

    def _note_gap(self) -> None:
        """Words have been spelt: was there a gap before them?"""
        group = self._groups[-1]
        before = self._groups[-2].end if len(self._groups) > 1 else self._segments_end
        start = group.end - sum(map(_longest, group.text.split()))
        if start - before >= GAP_S:
            self.last_gap = (before + start) / 2

    def settle(self, position: float) -> tuple[Word, ...]:
        """The words that end by `position` and were not returned before. No word may be
        half before it."""
        words = deque(_words(self._groups, self._segments_end))
        for segment in reversed(self.segments):
            if segment.end <= self._told + _SAME_S:
                break
            words.extendleft(reversed(segment.words))
        told, whole = self._told + _SAME_S, position + _SAME_S
        settled = tuple(word for word in words if told < word.end <= whole)
        self._told = position
        return settled

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
        words = tuple(_words(groups, self._segments_end))
        if not words:
            return None
        tokens = tuple(token for group in groups for token in group.tokens)
        logprobs = tuple(scored for group in groups for scored in group.logprobs)
        segment = Segment(len(self.segments), text, words, tokens, logprobs)
        self.segments.append(segment)
        return segment

    def _mark(self, frame_start: float) -> None:
        end = frame_start + FRAME_S / 2
        self._known = end <= self._start + _TOLD_S
        if not self._known:
            self.last_end = end
            self._groups.append(_Group(end))

    def _spell(self, token: int, text: str, scored: Scored | None) -> str:
        if self._resumed and (self._text or self._continued) and continues(text):
            text = " " + text
        self._resumed = self._resumed and not text  # half a character decodes to nothing
        self._groups[-1].text += text
        self._groups[-1].tokens.append(token)
        if scored is not None:
            self._groups[-1].logprobs.append(scored)
            self._fresh.append(scored)
        new = self._without_echo(text)
        if text and not new:  # it was told before
            self._fresh.clear()
        self._text += new
        return new

    def _without_echo(self, text: str) -> str:
        """What of a text is not out already."""
        if not self._echo or not text:
            return text
        again = text.lstrip() if self._echo_begins else text
        common = min(len(self._echo), len(again))
        if self._echo[:common] != again[:common]:  # it was heard otherwise this time
            self._echo = ""
            self._fresh = self._groups[-1].logprobs.copy()
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
    return min(end, max(previous_end, end - _longest(text)))


def _longest(word: str) -> float:
    """Seconds that a word takes when it is spoken slowly."""
    return max(_SHORTEST_WORD_S, _SECONDS_PER_CHARACTER * len(word))
