"""What flows through a session: commands in, events out. All times in seconds of
audio since the session's first sample, all dataclasses frozen."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import Samples
from .errors import VoxtideError

# ---- commands: dialect -> session -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Configure:
    """Samples that follow come at this rate.

    Attributes:
        rate: in Hz, one of `audio.PCM_RATES`.
    """

    rate: int


@dataclass(frozen=True, slots=True)
class Audio:
    """More audio.

    Attributes:
        samples: mono, in [-1, 1], at the configured rate.
    """

    samples: Samples


@dataclass(frozen=True, slots=True)
class Commit:
    """The turn ends here: its final transcript is wanted."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget the audio of the turn that is not committed."""


Command = Configure | Audio | Commit | Clear

# ---- events: session -> dialect ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """A word. Words that the model brings out together share an end.

    Attributes:
        text: without surrounding space.
        start: an estimate (see `transcript`).
        end: within a frame (80 ms) of the model's own label.
    """

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Segment:
    """Words between two pauses (see `transcript.SEGMENT_PAUSE_S`).

    Attributes:
        number: counts from 0 within its turn.
        tokens: ids of its text tokens.
    """

    number: int
    text: str
    words: tuple[Word, ...]
    tokens: tuple[int, ...]

    @property
    def start(self) -> float:
        """Start of the first word."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """End of the last word."""
        return self.words[-1].end


@dataclass(frozen=True, slots=True)
class Delta:
    """New text of a turn, to be appended as it is.

    Attributes:
        turn: id of the turn.
        end: end of the word or words that this text belongs to.
    """

    turn: str
    text: str
    end: float


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """A segment of a turn is complete."""

    turn: str
    segment: Segment


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit was taken.

    Attributes:
        previous: id of the turn before, if there was one.
    """

    turn: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class Completed:
    """The final transcript of a committed turn; exactly one of this or `Failed`.

    Attributes:
        start: where the turn's audio begins.
        end: where it ends.
        prompt_tokens: what the engine was given before the first token.
        completion_tokens: what it brought, blanks included.
    """

    turn: str
    text: str
    segments: tuple[Segment, ...]
    start: float
    end: float
    prompt_tokens: int
    completion_tokens: int

    @property
    def words(self) -> tuple[Word, ...]:
        """Words of all segments."""
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True, slots=True)
class Failed:
    """A turn was lost."""

    turn: str
    error: VoxtideError


@dataclass(frozen=True, slots=True)
class Cleared:
    """The audio that was not committed is forgotten."""


Event = Delta | SegmentEnded | Committed | Completed | Failed | Cleared
