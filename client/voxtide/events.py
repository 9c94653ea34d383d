"""What a session yields and what a file's transcript is made of.

All times are seconds from the first sample of the stream (or of the file), whichever connection
brought them.  The server hears in frames of 80 ms, so that is the resolution of every time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its place in the audio (seconds)."""

    word: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class SessionReady:
    """The server has accepted the settings; the first event of every session.

    `settings` is the session as the server describes it, `id` its identifier ("" if it sent none).
    """

    id: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Partial:
    """New text of the turn that is being spoken.

    Append `text` to the turn's text as it is: it carries its own leading space, and a word may
    come in several pieces.  `end` is where the audio behind the text ends, None on servers that
    do not say.
    """

    text: str
    end: float | None
    turn: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A finished piece of a turn, or of a file.

    `words` is empty on servers that send none, and in the transcript of a file, which lists its
    words once for the whole file.  `turn` is "" for a file.
    """

    id: str
    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Final:
    """The transcript of a whole turn; exactly one for each turn that did not fail.

    `text` is "" for a turn without speech.  `start` and `end` are None, and `words` is empty, on
    servers that do not say.
    """

    text: str
    turn: str
    words: tuple[Word, ...] = ()
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """Somebody began to speak: only where the server detects turns (`TurnDetection`).

    `start` is in seconds, with the padding that was asked for; None on servers that do not say.
    """

    turn: str
    start: float | None


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """They stopped, or were silent for long; the turn's `Final` comes next.

    `end` is in seconds, with the silence that ended the turn; None on servers that do not say.
    """

    turn: str
    end: float | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The connection was lost, and another one goes on where it ended.

    What has been said of the open turn so far is now `text`: forget its `Partial`s, those that
    follow are to be appended to `text`.  The `Final` is that of the whole turn.

    Attributes:
        at: Position in seconds from which the words are heard again.
        turn: The open turn, "" if there is none.
        text: What stands of its text: whole words, "" where the server cannot go on in mid-turn
            and hears the turn again from its start.
        lost: Seconds of audio that could not be heard again: 0.0 with voxtide; other servers do
            not acknowledge audio within a turn, and only the last two minutes of it are kept.
    """

    at: float
    turn: str
    text: str
    lost: float


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server reports an error and the session goes on.

    `turn` names the turn that has no transcript because of it, and is None for an error that
    belongs to no turn.  Errors that end the session are raised instead (`voxtide.VoxtideError`).
    """

    code: str
    message: str
    param: str | None
    retryable: bool
    turn: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that this version does not know, exactly as it came."""

    type: str
    data: Mapping[str, Any]


Event: TypeAlias = (
    SessionReady
    | Partial
    | Segment
    | Final
    | TurnStarted
    | TurnEnded
    | Resumed
    | ServerError
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript of a file.

    `language` is "" if the server does not say, `duration` is in seconds.
    """

    text: str
    language: str
    duration: float
    words: tuple[Word, ...] = ()
    segments: tuple[Segment, ...] = ()
