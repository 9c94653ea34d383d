"""Mistral's realtime protocol, on /v1/audio/transcriptions/realtime.

    client -> server                              server -> client
    session.update {session}                      session.created, session.updated
    input_audio.append {audio}                    transcription.text.delta {text}
    input_audio.flush                             transcription.segment {text, start, end}
    input_audio.end                               transcription.done {text, segments, usage}
                                                  turn.start, turn.end {time_s}
                                                  error {error: {message, code}}

A flush ends a turn and keeps the session; each is answered by one
transcription.done that holds the text since the one before it. An end is a flush
if there is audio since the last one, and closes the session.

The transcript of a file over HTTP has the shape of transcription.done, and its
server-sent events are those above.

Beyond the protocol: `words` on a segment, `start` and `end` on a done, and in the
session `ignored`, the fields of the last update that have no effect here. The
code of an error is a number in this protocol; ours stands in `type`.
"""

from __future__ import annotations

from typing import Any

from ..audio import ENCODINGS
from ..endpointing import Detection
from ..engine import SAMPLE_RATE
from ..errors import BadInput, VoxtideError
from ..events import (
    Acknowledged,
    Audio,
    Command,
    Commit,
    Completed,
    Configure,
    Delta,
    Detect,
    Draining,
    End,
    Event,
    Failed,
    IdleTimeout,
    Segment,
    SegmentEnded,
    SpeechStarted,
    SpeechStopped,
)
from ..service import Service
from .base import (
    ACKNOWLEDGED,
    DRAINING,
    Message,
    Reply,
    acknowledged,
    audio_field,
    choice_field,
    error_body,
    number_field,
    object_field,
    rate_field,
    resume_fields,
    seconds,
    session_field,
    text_field,
    unknown_event,
    unused_fields,
    words,
)

_DELAY = "target_streaming_delay_ms"


class MistralDialect:
    """Mistral's protocol for one connection."""

    name = "mistral"
    rate = SAMPLE_RATE

    def __init__(self, service: Service) -> None:
        self._service = service
        self._encoding = "pcm_s16le"
        self._rate = self.rate
        self._language: str | None = None
        self._ignored: list[str] = []
        self._detection: Message | None = None
        self._begun = False
        self._flushed = False
        self._ended = False

    # ---- client -> server ------------------------------------------------------------

    def receive(self, message: Message) -> list[Command | Reply]:
        """What a client's message asks for; raises BadInput."""
        if self._ended:
            raise BadInput("session_ended", "The session has been ended.", "type")
        match message.get("type"):
            case "session.update":
                return self._update(message)
            case "input_audio.append":
                samples = audio_field(message, self._encoding)
                self._begun = self._begun or len(samples) > 0
                return [Audio(samples)]
            case "input_audio.flush":
                self._flushed = True
                return [Commit()]
            case "input_audio.end":
                self._ended = True
                # Who never said anything waits for a transcript all the same.
                return [End()] if self._begun or self._flushed else [Commit(), End()]
        raise unknown_event(message)

    def _update(self, message: Message) -> list[Command | Reply]:
        session = session_field(message)
        form = object_field(session, "audio_format", "session.audio_format")
        encoding, rate = self._format(form)
        if self._begun and (encoding, rate) != (self._encoding, self._rate):
            raise BadInput(
                "invalid_value",
                "The audio format cannot change once audio has come.",
                "session.audio_format",
            )
        delay = session.get(_DELAY)
        if delay is not None and (isinstance(delay, bool) or not isinstance(delay, int)):
            text = f"The field '{_DELAY}' must be a whole number."
            raise BadInput("invalid_value", text, f"session.{_DELAY}")
        language = text_field(session, "language", "session.language", self._language)
        resume = resume_fields(session, self._begun)
        told, detection, unused = self._turn_detection(session)
        # Nothing of a message that is wrong in one field is done.
        self._encoding, self._rate, self._language = encoding, rate, language
        used = {"audio_format", "language", "acknowledge", "resume", "turn_detection", _DELAY}
        self._ignored = [*unused_fields(session, used, "session"), *unused]
        if delay not in (None, self._service.delay_ms):
            self._ignored.append(f"session.{_DELAY}")
        detect = [] if told == self._detection else [Detect(detection)]
        self._detection = told
        updated = Reply({"type": "session.updated", "session": self._session()})
        return [Configure(rate), *resume, *detect, updated]

    def _turn_detection(
        self, session: Message
    ) -> tuple[Message | None, Detection | None, list[str]]:
        """What is in force, what it means, and which fields have no effect."""
        param = "session.turn_detection"
        given = object_field(session, "turn_detection", param)
        if not given:
            return ({} if "turn_detection" in session else self._detection) or None, None, []
        start = number_field(given, "start_threshold", f"{param}.start_threshold", 0.5, 0, 1)
        silence = number_field(given, "min_silence_ms", f"{param}.min_silence_ms", 500, 100, 1e4)
        told: Message = {"start_threshold": start, "min_silence_ms": int(silence)}
        return (
            told,
            Detection(start, silence_s=silence / 1000),
            unused_fields(given, {*told}, param),
        )

    def _format(self, form: Message) -> tuple[str, int]:
        param = "session.audio_format"
        encoding = choice_field(form, "encoding", f"{param}.encoding", ENCODINGS, self._encoding)
        return encoding, rate_field(form, "sample_rate", f"{param}.sample_rate", self._rate)

    # ---- server -> client ------------------------------------------------------------

    def created(self) -> Message:
        """The first message of a connection."""
        return {"type": "session.created", "session": self._session()}

    def encode(self, event: Event) -> list[Message]:
        """How an event is told to the client."""
        match event:
            case Delta():
                return [{"type": "transcription.text.delta", "text": event.text}]
            case SegmentEnded():
                return [{"type": "transcription.segment", **_segment(event.segment)}]
            case Completed():
                result = done(event, self._service.models[0], self._language)
                return [{"type": "transcription.done", **result}]
            case Failed():
                return [self.error(event.error, None)]
            case SpeechStarted():
                return [{"type": "turn.start", "time_s": seconds(event.position)}]
            case SpeechStopped():
                time_s = seconds(event.position)
                return [{"type": "turn.end", "time_s": time_s, "end_reason": "threshold"}]
            case IdleTimeout():
                return [{"type": "turn.end", "time_s": seconds(event.end), "end_reason": "timeout"}]
            case Acknowledged():
                return [{"type": ACKNOWLEDGED, **acknowledged(event)}]
            case Draining():
                return [{"type": DRAINING, "seconds": event.seconds}]
        return []

    def error(self, error: VoxtideError, message: Message | None) -> Message:
        """How an error is told."""
        body = error_body(error, self._service)
        body["type"] = body.pop("code")
        return {"type": "error", "error": {**body, "code": error.traits.status}}

    def _session(self) -> Message:
        return {
            "request_id": self._service.session_id,
            "model": self._service.models[0],
            "audio_format": {"encoding": self._encoding, "sample_rate": self._rate},
            _DELAY: self._service.delay_ms,
            "language": self._language,
            "turn_detection": self._detection,
            "ignored": self._ignored,
        }


def done(event: Completed, model: str, language: str | None) -> dict[str, Any]:
    """A final transcript, over a WebSocket and over HTTP alike.

    Args:
        event: the transcript.
        model: its served name.
        language: as the client named it; the model does not tell.
    """
    usage = {
        "prompt_tokens": event.prompt_tokens,
        "completion_tokens": event.completion_tokens,
        "total_tokens": event.prompt_tokens + event.completion_tokens,
        "prompt_audio_seconds": round(event.end - event.start),
    }
    segments = [{"type": "transcription_segment", **_segment(s)} for s in event.segments]
    return {
        "model": model,
        "text": event.text,
        "language": language,
        "usage": usage,
        "segments": segments,
        "start": seconds(event.start),
        "end": seconds(event.end),
    }


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "text": segment.text,
        "start": seconds(segment.start),
        "end": seconds(segment.end),
        "words": words(segment.words),
    }
