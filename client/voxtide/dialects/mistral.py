"""Mistral's realtime transcription.  Its turns have no names, so they are counted here."""

import json
from collections.abc import Callable, Mapping

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
    Data,
    Dialect,
    Message,
    Resume,
    Settings,
    built,
    seconds,
    server_error,
    with_audio,
    words_in,
)

_ENCODINGS = {"pcm16": "pcm_s16le", "mulaw": "pcm_mulaw", "alaw": "pcm_alaw"}
_SILENT = frozenset({"session.created", "session.draining", "transcription.language"})


class Mistral(Dialect):
    """A server of Mistral's, or voxtide's endpoint for their SDK."""

    path = "/audio/transcriptions/realtime"
    rates = (16000, 8000, 22050, 24000, 44100, 48000)
    encodings = frozenset({"mulaw", "alaw"})

    def __init__(self) -> None:
        self._turns = 0
        self._segments = 0
        self._builders: Mapping[str, Callable[[Data], Message]] = {
            "session.updated": self._ready,
            "transcription.text.delta": self._partial,
            "transcription.segment": self._segment,
            "transcription.done": self._final,
            "turn.start": self._started,
            "turn.end": self._ended,
            "error": self._error,
        }

    def opening(self, settings: Settings, resume: Resume | None) -> list[str]:
        """The settings.  The server knows no resume: it hears the rest as a new session."""
        form = {"encoding": _ENCODINGS[settings.encoding], "sample_rate": settings.rate}
        session: dict[str, object] = {"audio_format": form}
        if settings.language is not None:
            session["language"] = settings.language
        if settings.turn_detection is not None:
            session["turn_detection"] = {
                "start_threshold": settings.turn_detection.threshold,
                "min_silence_ms": round(settings.turn_detection.silence * 1000),
            }
        return [json.dumps({"type": "session.update", "session": session})]

    def append(self, audio: bytes) -> list[str]:
        """A piece of audio."""
        return [with_audio("input_audio.append", audio)]

    def commit(self) -> list[str]:
        """The end of a turn."""
        return ['{"type":"input_audio.flush"}']

    def message(self, kind: str, data: Data) -> Message | None:
        """See the table in `__init__`."""
        if kind in _SILENT:
            return None
        build = self._builders.get(kind)
        return built(build, kind, data) if build else Unknown(kind, data)

    @property
    def _turn(self) -> str:
        return f"turn_{self._turns}"

    def _ready(self, data: Data) -> SessionReady:
        session = data.get("session") or {}
        return SessionReady(str(session.get("request_id") or ""), session)

    def _partial(self, data: Data) -> Partial:
        return Partial(str(data["text"]), seconds(data, "end"), self._turn)

    def _segment(self, data: Data) -> Segment:
        self._segments += 1
        start, end = seconds(data, "start") or 0.0, seconds(data, "end") or 0.0
        name = f"segment_{self._segments}"
        return Segment(name, str(data["text"]), start, end, words_in(data), self._turn)

    def _final(self, data: Data) -> Final:
        turn = self._turn
        self._turns += 1
        words = tuple(word for item in data.get("segments") or () for word in words_in(item))
        return Final(str(data["text"]), turn, words)

    def _started(self, data: Data) -> TurnStarted:
        return TurnStarted(self._turn, seconds(data, "time_s"))

    def _ended(self, data: Data) -> TurnEnded:
        return TurnEnded(self._turn, seconds(data, "time_s"))

    def _error(self, data: Data) -> ServerError:
        return server_error(data, None)
