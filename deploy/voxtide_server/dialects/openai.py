"""OpenAI's realtime protocol, for sessions of type transcription.

Beyond the protocol, and left aside by clients that do not know them: `end` on a
delta, `words` on a segment, `words`, `start` and `end` on a completed turn (all
times in seconds since the session's first sample), `delay_ms` and `ignored` in
the session. `ignored` names the fields of the last update that are understood
but have no effect here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..audio import PCM_RATES
from ..errors import BadInput, VoxtideError
from ..events import (
    Audio,
    Clear,
    Cleared,
    Command,
    Commit,
    Committed,
    Completed,
    Configure,
    Delta,
    Event,
    Failed,
    SegmentEnded,
    Word,
)
from ..service import Service, check_model
from .base import Message, Reply, audio_field, unknown_event

_INPUT = "session.audio.input"
_LONGEST_TEXT = 200
_MOST_IGNORED = 50
_TRANSCRIPTION = "conversation.item.input_audio_transcription"


class OpenAIDialect:
    """OpenAI's protocol for one connection."""

    rate = 24_000

    def __init__(self, service: Service) -> None:
        self.service = service
        self._rate = self.rate
        self._language: str | None = None
        self._ignored: list[str] = []
        self._events = 0

    # ---- client -> server ------------------------------------------------------------

    def receive(self, message: Message) -> list[Command | Reply]:
        """What a client's message asks for; raises BadInput."""
        match message.get("type"):
            case "session.update":
                return self._update(message)
            case "input_audio_buffer.append":
                return [Audio(audio_field(message))]
            case "input_audio_buffer.commit":
                return [Commit()]
            case "input_audio_buffer.clear":
                return [Clear()]
        raise unknown_event(message)

    def _update(self, message: Message) -> list[Command | Reply]:
        if "session" not in message:
            raise BadInput("missing_field", "The field 'session' is missing.", "session")
        session = _object(message, "session", "session")
        if session.get("type", "transcription") != "transcription":
            raise BadInput(
                "unsupported_value", "Only transcription sessions are served.", "session.type"
            )
        given = _object(_object(session, "audio", "session.audio"), "input", _INPUT)
        rate = self._read_format(given)
        transcription = _object(given, "transcription", f"{_INPUT}.transcription")
        check_model(
            transcription.get("model"), self.service.models, f"{_INPUT}.transcription.model"
        )
        language = _text(
            transcription, "language", f"{_INPUT}.transcription.language", self._language
        )
        # Nothing of a message that is wrong in one field is done.
        self._rate, self._language = rate, language
        self._ignored = [
            *_unused(session, {"type", "audio"}, "session"),
            *_unused(given, {"format", "transcription"}, _INPUT),
            *_unused(transcription, {"model", "language"}, f"{_INPUT}.transcription"),
        ]
        return [Configure(rate), Reply(self._event("session.updated", session=self._session()))]

    def _read_format(self, given: Message) -> int:
        param = f"{_INPUT}.format"
        form = _object(given, "format", param)
        if form.get("type", "audio/pcm") != "audio/pcm":
            raise BadInput("unsupported_value", "The format must be audio/pcm.", f"{param}.type")
        rate = form.get("rate", self._rate)
        if rate not in PCM_RATES or not isinstance(rate, int):
            rates = ", ".join(map(str, PCM_RATES))
            raise BadInput(
                "unsupported_rate", f"The sample rate must be one of {rates} Hz.", f"{param}.rate"
            )
        return rate

    # ---- server -> client ------------------------------------------------------------

    def created(self) -> Message:
        """The first message of a connection."""
        return self._event("session.created", session=self._session())

    def encode(self, event: Event) -> list[Message]:
        """How an event is told to the client."""
        match event:
            case Delta():
                return [self._of_turn(event.turn, "delta", delta=event.text, end=_s(event.end))]
            case SegmentEnded():
                return [self._segment(event)]
            case Committed():
                return self._committed(event)
            case Completed():
                return [self._completed(event)]
            case Failed():
                return [self._of_turn(event.turn, "failed", error=event.error.body())]
            case Cleared():
                return [self._event("input_audio_buffer.cleared")]

    def error(self, error: VoxtideError, message: Message | None) -> Message:
        """How an error is told."""
        cause = message.get("event_id") if message else None
        known = isinstance(cause, str) and len(cause) <= _LONGEST_TEXT
        return self._event("error", error={**error.body(), "event_id": cause if known else None})

    def _segment(self, event: SegmentEnded) -> Message:
        segment = event.segment
        return self._of_turn(
            event.turn,
            "segment",
            id=f"{event.turn}_segment_{segment.number}",
            text=segment.text,
            speaker="",
            start=_s(segment.start),
            end=_s(segment.end),
            words=_words(segment.words),
        )

    def _committed(self, event: Committed) -> list[Message]:
        item = {
            "id": event.turn,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        tell: Callable[..., Message] = self._event
        return [
            tell(
                "input_audio_buffer.committed",
                item_id=event.turn,
                previous_item_id=event.previous,
            ),
            tell("conversation.item.added", item=item, previous_item_id=event.previous),
            tell("conversation.item.done", item=item, previous_item_id=event.previous),
        ]

    def _completed(self, event: Completed) -> Message:
        return self._of_turn(
            event.turn,
            "completed",
            transcript=event.text,
            usage={"type": "duration", "seconds": _s(event.end - event.start)},
            start=_s(event.start),
            end=_s(event.end),
            words=_words(event.words),
        )

    def _of_turn(self, turn: str, kind: str, **fields: Any) -> Message:
        return self._event(f"{_TRANSCRIPTION}.{kind}", item_id=turn, content_index=0, **fields)

    def _event(self, kind: str, **fields: Any) -> Message:
        self._events += 1
        event_id = f"event_{self.service.session_id}_{self._events}"
        return {"type": kind, "event_id": event_id, **fields}

    def _session(self) -> Message:
        return {
            "id": self.service.session_id,
            "object": "realtime.transcription_session",
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": self._rate},
                    "noise_reduction": None,
                    "transcription": {
                        "model": self.service.models[0],
                        "language": self._language,
                        "delay_ms": self.service.delay_ms,
                    },
                    "turn_detection": None,
                }
            },
            "ignored": self._ignored,
        }


def _s(seconds: float) -> float:
    return round(seconds, 3)


def _words(words: tuple[Word, ...]) -> list[Message]:
    return [{"word": w.text, "start": _s(w.start), "end": _s(w.end)} for w in words]


def _object(parent: Message, name: str, param: str) -> Message:
    """The object at a field; empty if it is absent or null."""
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput("invalid_value", f"The field '{param}' must be an object.", param)
    return value


def _text(parent: Message, name: str, param: str, present: str | None) -> str | None:
    """The text at a field; `present` if it is absent, None if it is null."""
    value = parent.get(name, present)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        message = f"The field '{param}' must be text of at most {_LONGEST_TEXT} characters."
        raise BadInput("invalid_value", message, param)
    return value


def _unused(given: Message, used: set[str], path: str) -> list[str]:
    """Paths of the fields that are set and have no effect here."""
    unused = [name for name, value in given.items() if name not in used and value]
    return [f"{path}.{name[:_LONGEST_TEXT]}" for name in unused[:_MOST_IGNORED]]
