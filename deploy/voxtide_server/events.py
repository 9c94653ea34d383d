"""What flows through a session: commands in, events out. All times in seconds of
audio since the session's first sample, all dataclasses frozen."""

from __future__ import annotations

from dataclasses import dataclass

from .endpointing import Detection
from .engine import Samples
from .errors import VoxtideError

# ---- commands: dialect -> session -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Configure:
    """Samples that follow come at this rate.

    Attributes:
        rate: in Hz, one of `audio.RATES`.
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


@dataclass(frozen=True, slots=True)
class End:
    """No more audio comes: what is there is a last turn, and then the session is over."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The client wants to know up to where it need not send audio again."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The session goes on where another one ended; before any audio.

    Attributes:
        at: position of the first sample, in seconds of the whole.
        previous: id of the last turn that was committed there.
        turn_start: where the turn began that was being said there; None if none was.
        words_after: position up to which the words are known: the audio before it is heard
            for the sake of those that follow. None if there is no such audio.
    """

    at: float
    previous: str | None
    turn_start: float | None = None
    words_after: float | None = None


@dataclass(frozen=True, slots=True)
class Detect:
    """Turns that follow end by themselves.

    Attributes:
        detection: how, or None to leave it to the client.
    """

    detection: Detection | None


@dataclass(frozen=True, slots=True)
class Score:
    """Whether the client wants to know how likely each token was, from the next turn on."""

    logprobs: bool


Command = Configure | Audio | Commit | Clear | End | Acknowledge | Resume | Detect | Score

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
class Scored:
    """A text token.

    Attributes:
        piece: its UTF-8 bytes, which may end inside a character.
        logprob: natural logarithm of its probability.
    """

    piece: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class Segment:
    """Words between two pauses (see `transcript.SEGMENT_PAUSE_S`).

    Attributes:
        number: counts from 0 within its turn.
        tokens: ids of its text tokens.
        logprobs: of its text tokens, where they were asked for.
    """

    number: int
    text: str
    words: tuple[Word, ...]
    tokens: tuple[int, ...]
    logprobs: tuple[Scored, ...] = ()

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
        logprobs: of its tokens, where they were asked for.
    """

    turn: str
    text: str
    end: float
    logprobs: tuple[Scored, ...] = ()


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

    @property
    def logprobs(self) -> tuple[Scored, ...]:
        """Those of all segments, where they were asked for."""
        return tuple(scored for segment in self.segments for scored in segment.logprobs)


@dataclass(frozen=True, slots=True)
class Failed:
    """A turn was lost."""

    turn: str
    error: VoxtideError


@dataclass(frozen=True, slots=True)
class Cleared:
    """The audio that was not committed is forgotten."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Every turn is final and no more will come."""


@dataclass(frozen=True, slots=True)
class Draining:
    """The server is to stop: the session is closed after this turn, or when the time is up.

    Attributes:
        seconds: that are left.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Everything that was said before this is out as a whole, or has failed.

    Attributes:
        position: where another session would have to go on.
        turn: id of the turn that is being said there, if there is one.
        turn_start: where its audio begins.
        words: of that turn that end before `position` and were not told before.
    """

    position: float
    turn: str | None = None
    turn_start: float | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak.

    Attributes:
        position: where, with the padding before it.
    """

    turn: str
    position: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """They stopped, and the turn ends.

    Attributes:
        position: of the turn's end, the silence included.
    """

    turn: str
    position: float


@dataclass(frozen=True, slots=True)
class IdleTimeout:
    """Nobody has spoken for long, and the turn ends.

    Attributes:
        start: where the turn begins.
        end: where it ends.
    """

    turn: str
    start: float
    end: float


Event = (
    Delta
    | SpeechStarted
    | SpeechStopped
    | IdleTimeout
    | SegmentEnded
    | Committed
    | Completed
    | Failed
    | Cleared
    | Ended
    | Draining
    | Acknowledged
)
