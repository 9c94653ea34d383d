"""What one stream saw of one turn, and what can be said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .corpus import Clip
from .words import Alignment, Delta, Heard, align, heard, tokens

Outcome: TypeAlias = Literal["open", "final", "failed", "timeout", "lost", "cut"]


@dataclass(slots=True)
class Turn:
    """A turn; all moments are by the monotonic clock, in seconds.

    Attributes:
        clip: what is said in it.
        began: when its first sample was spoken.
        position: where that sample lies in the session's audio, in seconds.
        whole: whether the clip is said to its end.
        committed: when its end was due.
        deltas: what came of it.
        final: its transcript.
        finalised: when that came.
        outcome: "cut" if this client cut the connection, "lost" if it lost it.
        item: the server's name of it, where it has one.
    """

    clip: Clip
    began: float
    position: float
    whole: bool = True
    committed: float | None = None
    deltas: list[Delta] = field(default_factory=list)
    final: str | None = None
    finalised: float | None = None
    outcome: Outcome = "open"
    item: str = ""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word that was said and heard.

    Attributes:
        index: among the words of the clip; None if it was timed by the server's own times.
        spoken: when it had been spoken.
        arrival: of the delta that completed it.
    """

    index: int | None
    spoken: float
    arrival: float

    @property
    def latency(self) -> float:
        """Word emission latency in seconds."""
        return self.arrival - self.spoken


def live_words(turn: Turn) -> list[Heard]:
    """The words that came in deltas."""
    return heard(turn.deltas, turn.clip.language)


def timed(turn: Turn, words: list[Heard]) -> list[TimedWord]:
    """The words whose end in the audio is known, by the corpus if it knows, else by the server."""
    clip = turn.clip
    if clip.words is not None and clip.ends is not None:
        pairs = align(clip.words, tuple(word.text for word in words)).pairs
        return [
            TimedWord(here, turn.began + clip.ends[here], words[there].arrival)
            for here, there in pairs
        ]
    start = turn.began - turn.position
    return [
        TimedWord(None, start + word.end, word.arrival) for word in words if word.end is not None
    ]


def first_token(turn: Turn) -> float | None:
    """From the first sample of speech to the first text, in seconds."""
    return turn.deltas[0].arrival - _onset(turn) if turn.deltas else None


def first_word(turn: Turn, words: list[Heard]) -> float | None:
    """From the first sample of speech to the text that completes a word, in seconds."""
    return words[0].arrival - _onset(turn) if words else None


def finalisation(turn: Turn) -> float | None:
    """From the commit to the final transcript, in seconds."""
    if turn.finalised is None or turn.committed is None:
        return None
    return turn.finalised - turn.committed


def lags(words: list[TimedWord], every_s: float) -> Iterator[tuple[float, float]]:
    """Moments, and how far the transcript was behind the speaker then, in seconds.

    The transcript reaches up to the end of the oldest word that has been spoken and is not out.
    While there is none, nobody can tell how far it reaches, and there is no record.

    Args:
        words: of one turn, in their order.
        every_s: looks at every multiple of this on the clock.
    """
    if not words:
        return
    at = math.ceil(words[0].spoken / every_s) * every_s
    last = max(word.arrival for word in words)
    oldest = 0
    while at < last:
        while oldest < len(words) and words[oldest].arrival <= at:
            oldest += 1
        if oldest == len(words):
            return
        if words[oldest].spoken < at:
            yield at, at - words[oldest].spoken
        at += every_s


def against(turn: Turn, reference: tuple[str, ...]) -> Alignment:
    """How the final transcript differs from these words."""
    return align(reference, tuple(tokens(turn.final or "", turn.clip.language)))


def unsaid(turn: Turn, words: list[Heard]) -> int:
    """Words of the final transcript that came in no delta."""
    final = tuple(tokens(turn.final or "", turn.clip.language))
    return len(final) - len(align(final, tuple(word.text for word in words)).pairs)


def _onset(turn: Turn) -> float:
    return turn.began + turn.clip.begins
