"""The JSON texts of the OpenAI transcription dialect: one function for each message.

Times, words and the end of a delta are voxtide's extensions; other servers leave them out, so
every one of them is optional here, and fields that are not named here are ignored.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from . import error_mapping
from .errors import VoxtideError
from .events import Event, Final, Partial, Segment, ServerError, SessionReady, Unknown, Word

Data: TypeAlias = Mapping[str, Any]

_TRANSCRIPTION = "conversation.item.input_audio_transcription."

# Bookkeeping that a caller learns in other ways, or need not know.
_SILENT = frozenset(
    {
        "session.created",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.created",
        "conversation.item.done",
    }
)


def session_update(rate: int, model: str | None, language: str | None) -> str:
    """The settings of a session, the first message.  Turns end only where the client says."""
    named = {"model": model, "language": language}
    audio_input = {
        "format": {"type": "audio/pcm", "rate": rate},
        "transcription": {name: value for name, value in named.items() if value is not None},
        "turn_detection": None,
    }
    session = {"type": "transcription", "audio": {"input": audio_input}}
    return json.dumps({"type": "session.update", "session": session})


def append(pcm: bytes) -> str:
    """A piece of audio.  Base64 needs no escapes, so the text is put together directly."""
    return f'{{"type":"input_audio_buffer.append","audio":"{base64.b64encode(pcm).decode()}"}}'


def commit() -> str:
    """The end of a turn."""
    return '{"type":"input_audio_buffer.commit"}'


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


def event(kind: str, data: Data) -> Event | None:
    """The event that a message stands for; None for bookkeeping.

    Raises ProtocolError for a known message without what makes it useful.
    """
    if kind in _SILENT:
        return None
    build = _BUILDERS.get(kind)
    if build is None:
        return Unknown(kind, data)
    try:
        return build(data)
    except (KeyError, TypeError, ValueError) as broken:
        raise error_mapping.unreadable(f"a {kind}", f"{type(broken).__name__} {broken}") from broken


def error_in(data: Data) -> VoxtideError:
    """The error that an `error` or `failed` message carries."""
    error = data.get("error")
    return error_mapping.from_error_object(
        error if isinstance(error, Mapping) else {"message": error}
    )


def words_in(data: Data) -> tuple[Word, ...]:
    """The words of a message or of a file's transcript; empty if it lists none."""
    return tuple(
        Word(str(item["word"]), float(item["start"]), float(item["end"]))
        for item in data.get("words") or ()
    )


def segment_in(data: Data, turn: str = "") -> Segment:
    """A segment of a session, or of a file's transcript (which counts them with numbers)."""
    return Segment(
        id=str(data["id"]),
        text=str(data["text"]),
        start=float(data["start"]),
        end=float(data["end"]),
        words=words_in(data),
        turn=turn,
    )


def _ready(data: Data) -> SessionReady:
    session = data.get("session") or {}
    return SessionReady(str(session.get("id") or ""), session)


def _partial(data: Data) -> Partial:
    return Partial(str(data["delta"]), _seconds(data, "end"), _turn(data))


def _segment(data: Data) -> Segment:
    return segment_in(data, _turn(data))


def _final(data: Data) -> Final:
    return Final(
        text=str(data["transcript"]),
        turn=_turn(data),
        words=words_in(data),
        start=_seconds(data, "start"),
        end=_seconds(data, "end"),
    )


def _error(data: Data) -> ServerError:
    return _server_error(data, None)


def _failed(data: Data) -> ServerError:
    return _server_error(data, _turn(data))


def _server_error(data: Data, turn: str | None) -> ServerError:
    error = error_in(data)
    return ServerError(error.code, error.message, error.param, error.retryable, turn)


def _turn(data: Data) -> str:
    return str(data.get("item_id") or "")


def _seconds(data: Data, name: str) -> float | None:
    value = data.get(name)
    return None if value is None else float(value)


_BUILDERS: Mapping[str, Callable[[Data], Event]] = {
    "session.updated": _ready,
    f"{_TRANSCRIPTION}delta": _partial,
    f"{_TRANSCRIPTION}segment": _segment,
    f"{_TRANSCRIPTION}completed": _final,
    f"{_TRANSCRIPTION}failed": _failed,
    "error": _error,
}
