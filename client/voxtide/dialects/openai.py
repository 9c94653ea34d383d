"""OpenAI's transcription sessions, and what voxtide adds to them.

Times, words, the end of a delta, acknowledgements and going on elsewhere are voxtide's; OpenAI
leaves them out, so every one of them is optional in what is read here, and fields that are not
named here are ignored.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..config import TurnDetection
from ..events import (
    Final,
    Partial,
    Segment,
    ServerError,
    SessionReady,
    TurnEnded,
    TurnStarted,
    Unknown,
)
from .base import (
    Acknowledged,
    Committed,
    Data,
    Dialect,
    Message,
    Resume,
    Settings,
    built,
    seconds,
    server_error,
    words_in,
)

_TRANSCRIPTION = "conversation.item.input_audio_transcription."
_FORMATS = {"pcm16": "audio/pcm", "mulaw": "audio/pcmu", "alaw": "audio/pcma"}

# Bookkeeping that a caller learns in other ways, or need not know.
_SILENT = frozenset(
    {
        "session.created",
        "session.draining",
        "conversation.item.added",
        "conversation.item.created",
        "conversation.item.done",
    }
)


class OpenAI(Dialect):
    """A server of OpenAI's, or one that speaks like it."""

    rates: ClassVar[tuple[int, ...]] = (24000,)
    encodings = frozenset({"mulaw", "alaw"})

    def query(self, model: str | None) -> dict[str, str]:
        """The kind of session; its model is in the settings."""
        return {"intent": "transcription"}

    def opening(self, settings: Settings, resume: Resume | None) -> list[str]:
        """The settings.  A server that knows no resume hears the rest as a new session."""
        return [self._update(_session(settings))]

    def message(self, kind: str, data: Data) -> Message | None:
        """See the table at the end of this module."""
        if kind in _SILENT:
            return None
        build = _BUILDERS.get(kind)
        return built(build, kind, data) if build else Unknown(kind, data)

    def _update(self, session: Mapping[str, Any]) -> str:
        return json.dumps({"type": "session.update", "session": session})


class Voxtide(OpenAI):
    """voxtide: the same with acknowledgements, and with any of its sample rates."""

    rates = (16000, 8000, 11025, 22050, 24000, 32000, 44100, 48000)
    acknowledges = True
    confirms = True

    def opening(self, settings: Settings, resume: Resume | None) -> list[str]:
        """The settings, and where to go on."""
        session = _session(settings) | {"acknowledge": True}
        if resume is not None:
            session["resume"] = {
                "at": resume.at,
                "previous_item_id": resume.previous,
                "turn_start": resume.turn_start,
                "words_after": resume.words_after,
            }
        return [self._update(session)]


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


def _session(settings: Settings) -> dict[str, Any]:
    form: dict[str, Any] = {"type": _FORMATS[settings.encoding]}
    if settings.encoding == "pcm16":
        form["rate"] = settings.rate
    named = {"model": settings.model, "language": settings.language}
    audio_input = {
        "format": form,
        "transcription": {name: value for name, value in named.items() if value is not None},
        "turn_detection": _detection(settings.turn_detection),
    }
    return {"type": "transcription", "audio": {"input": audio_input}}


def _detection(detection: TurnDetection | None) -> dict[str, Any] | None:
    if detection is None:
        return None
    if detection.eagerness is not None:
        return {"type": "semantic_vad", "eagerness": detection.eagerness}
    return {
        "type": "server_vad",
        "threshold": detection.threshold,
        "prefix_padding_ms": round(detection.prefix * 1000),
        "silence_duration_ms": round(detection.silence * 1000),
    }


def _ready(data: Data) -> SessionReady:
    session = data.get("session") or {}
    return SessionReady(str(session.get("id") or ""), session)


def _partial(data: Data) -> Partial:
    return Partial(str(data["delta"]), seconds(data, "end"), _turn(data))


def _segment(data: Data) -> Segment:
    return segment_in(data, _turn(data))


def _final(data: Data) -> Final:
    return Final(
        text=str(data["transcript"]),
        turn=_turn(data),
        words=words_in(data),
        start=seconds(data, "start"),
        end=seconds(data, "end"),
    )


def _failed(data: Data) -> ServerError:
    return server_error(data, _turn(data))


def _error(data: Data) -> ServerError:
    return server_error(data, None)


def _acknowledged(data: Data) -> Acknowledged:
    return Acknowledged(float(data["position"]), seconds(data, "turn_start"), words_in(data))


def _committed(data: Data) -> Committed:
    return Committed(_turn(data))


def _started(data: Data) -> TurnStarted:
    return TurnStarted(_turn(data), _from_ms(data, "audio_start_ms"))


def _ended(data: Data) -> TurnEnded:
    return TurnEnded(_turn(data), _from_ms(data, "audio_end_ms"))


def _from_ms(data: Data, name: str) -> float | None:
    value = seconds(data, name)
    return None if value is None else value / 1000


def _turn(data: Data) -> str:
    return str(data.get("item_id") or "")


_BUILDERS: Mapping[str, Callable[[Data], Message]] = {
    "session.updated": _ready,
    "session.acknowledged": _acknowledged,
    "input_audio_buffer.committed": _committed,
    "input_audio_buffer.speech_started": _started,
    "input_audio_buffer.speech_stopped": _ended,
    "input_audio_buffer.timeout_triggered": _ended,
    f"{_TRANSCRIPTION}delta": _partial,
    f"{_TRANSCRIPTION}segment": _segment,
    f"{_TRANSCRIPTION}completed": _final,
    f"{_TRANSCRIPTION}failed": _failed,
    "error": _error,
}
