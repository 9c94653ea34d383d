"""What a dialect is: how the messages of one realtime API are written and read.  No I/O."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from .. import error_mapping
from ..config import TurnDetection
from ..errors import VoxtideError
from ..events import Event, ServerError, Word

Data: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session is to be.

    Attributes:
        rate: Of the audio that is sent, in Hz.
        encoding: pcm16 (little-endian), mulaw or alaw.
        model: Name of the model; None leaves the choice to the server.
        language: ISO 639-1 code such as "en"; None lets the model find out.
        turn_detection: None if only the client ends turns.
    """

    rate: int
    encoding: str
    model: str | None
    language: str | None
    turn_detection: TurnDetection | None


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a new connection goes on.

    Attributes:
        at: Position of the first sample that it is sent, in seconds.
        previous: The last turn that is final.
        turn_start: Where the turn begins that is open there; None if the server did not say.
        words_after: Position up to which the words are known, in seconds.
    """

    at: float
    previous: str | None
    turn_start: float | None
    words_after: float


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """All that was said before `position` (seconds) is settled; `words` are what is new of it."""

    position: float
    turn_start: float | None
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """The turn that a commit has ended has this name."""

    turn: str


Message: TypeAlias = Event | Acknowledged | Committed


class Dialect:
    """One realtime API; its instance belongs to one stream.

    Attributes:
        path: Of the endpoint, below /v1.
        rates: Sample rates that the server takes, in Hz; audio at another is resampled to the
            first one.
        encodings: That the server takes, beside pcm16.
        acknowledges: Whether the server says what is settled within a turn, and goes on there.
        confirms: Whether the server always names the turn that a commit ends.
    """

    path: ClassVar[str] = "/realtime"
    rates: ClassVar[tuple[int, ...]] = (16000,)
    encodings: ClassVar[frozenset[str]] = frozenset()
    acknowledges: ClassVar[bool] = False
    confirms: ClassVar[bool] = False

    def query(self, model: str | None) -> dict[str, str]:
        """Of the endpoint's address."""
        return {"model": model} if model else {}

    def opening(self, settings: Settings, resume: Resume | None) -> list[str]:
        """The first texts of a connection."""
        raise NotImplementedError

    def append(self, audio: bytes) -> list[str]:
        """The texts that carry a piece of audio."""
        return [with_audio("input_audio_buffer.append", audio)]

    def commit(self) -> list[str]:
        """The texts that end a turn."""
        return ['{"type":"input_audio_buffer.commit"}']

    def message(self, kind: str, data: Data) -> Message | None:
        """What a message of the server means; None for bookkeeping."""
        raise NotImplementedError


def with_audio(kind: str, audio: bytes) -> str:
    """A message that carries audio: base64 needs no escapes, so it is put together directly."""
    return f'{{"type":"{kind}","audio":"{base64.b64encode(audio).decode()}"}}'


def parse(message: str | bytes) -> tuple[str, Data]:
    """The type of a message from the server and all its fields.

    Raises ProtocolError if it is not a JSON object with a type.
    """
    try:
        data = json.loads(message)
    except ValueError as broken:
        raise error_mapping.unreadable("a message", str(broken)) from broken
    kind = data.get("type") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        raise error_mapping.unreadable("a message", "it is not an object with a type")
    return kind, data


def built(build: Callable[[Data], Message], kind: str, data: Data) -> Message:
    """`build(data)`; raises ProtocolError for a message without what makes it useful."""
    try:
        return build(data)
    except (KeyError, TypeError, ValueError) as broken:
        raise error_mapping.unreadable(f"a {kind}", f"{type(broken).__name__} {broken}") from broken


def error_in(data: Data) -> VoxtideError:
    """The error that a message carries."""
    error = data.get("error")
    return error_mapping.from_error_object(
        error if isinstance(error, Mapping) else {"message": error, "code": data.get("code")}
    )


def server_error(data: Data, turn: str | None) -> ServerError:
    """The same as an event."""
    error = error_in(data)
    return ServerError(error.code, error.message, error.param, error.retryable, turn)


def words_in(data: Data) -> tuple[Word, ...]:
    """The words of a message or of a file's transcript; empty if it lists none."""
    return tuple(
        Word(str(item["word"]), float(item["start"]), float(item["end"]))
        for item in data.get("words") or ()
    )


def seconds(data: Data, name: str) -> float | None:
    """A time, None where the server does not say."""
    value = data.get(name)
    return None if value is None else float(value)
