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

from ..audio import G711_RATE
from ..endpointing import Detection
from ..errors import BadInput, VoxtideError
from ..events import (
    Acknowledged,
    Audio,
    Clear,
    Cleared,
    Command,
    Commit,
    Committed,
    Completed,
    Configure,
    Delta,
    Detect,
    Draining,
    Ended,
    Event,
    Failed,
    IdleTimeout,
    Score,
    SegmentEnded,
    SpeechStarted,
    SpeechStopped,
)
from ..service import Service, check_model
from .base import (
    ACKNOWLEDGED,
    DRAINING,
    LONGEST_TEXT,
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
    scores,
    seconds,
    session_field,
    text_field,
    unknown_event,
    unused_fields,
    words,
)

_INPUT = "session.audio.input"
_PCM = "pcm_s16le"
_ENCODINGS = {"audio/pcm": _PCM, "audio/pcmu": "pcm_mulaw", "audio/pcma": "pcm_alaw"}
_KINDS = {encoding: kind for kind, encoding in _ENCODINGS.items()}
_BETA_ENCODINGS = {"pcm16": _PCM, "g711_ulaw": "pcm_mulaw", "g711_alaw": "pcm_alaw"}
_BETA_NAMES = {encoding: name for name, encoding in _BETA_ENCODINGS.items()}
_DELAYS = {"minimal": 160, "low": 240, "medium": 480, "high": 960, "xhigh": 2400}
"""OpenAI's names, as milliseconds of this model's."""
_EAGERNESS = {"auto": 1.0, "low": 2.0, "medium": 1.0, "high": 0.5}
"""OpenAI's names, as seconds of silence that end a turn; half is enough after a sentence."""
_DETECTORS = ("server_vad", "semantic_vad")
_DETECTORS_FIELDS = {
    "server_vad": {"threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms"},
    "semantic_vad": {"eagerness"},
}
_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_LOGPROBS = "item.input_audio_transcription.logprobs"


class OpenAIDialect:
    """OpenAI's protocol for one connection.

    Attributes:
        beta: whether the client speaks the form that the protocol had before it was
            general: `transcription_session.update`, with a flat session.
    """

    name = "openai"
    rate = 24_000

    def __init__(self, service: Service) -> None:
        self.service = service
        self.beta = False
        self._encoding = _PCM
        self._rate = self.rate
        self._language: str | None = None
        self._ignored: list[str] = []
        self._detection: tuple[Message | None, Detection | None] = (None, None)
        self._include: list[str] = []
        self._begun = False
        self._events = 0

    # ---- client -> server ------------------------------------------------------------

    def receive(self, message: Message) -> list[Command | Reply]:
        """What a client's message asks for; raises BadInput."""
        match message.get("type"):
            case "session.update":
                return self._update(message)
            case "transcription_session.update":
                return self._update_beta(message)
            case "input_audio_buffer.append":
                samples = audio_field(message, self._encoding)
                self._begun = self._begun or len(samples) > 0
                return [Audio(samples)]
            case "input_audio_buffer.commit":
                return [Commit()]
            case "input_audio_buffer.clear":
                return [Clear()]
        raise unknown_event(message)

    def _update(self, message: Message) -> list[Command | Reply]:
        session = session_field(message)
        if session.get("type", "transcription") != "transcription":
            raise BadInput(
                "unsupported_value", "Only transcription sessions are served.", "session.type"
            )
        given = object_field(object_field(session, "audio", "session.audio"), "input", _INPUT)
        form = self._format(object_field(given, "format", f"{_INPUT}.format"))
        ignored = [
            *unused_fields(
                session, {"type", "audio", "include", "acknowledge", "resume"}, "session"
            ),
            *unused_fields(given, {"format", "transcription", "turn_detection"}, _INPUT),
        ]
        detect = self._turn_detection(given, f"{_INPUT}.turn_detection", ignored)
        resume = resume_fields(session, self._begun)
        include = self._included(session, ignored)
        param = f"{_INPUT}.transcription"
        commands = self._apply(form, object_field(given, "transcription", param), param, ignored)
        self.beta = False
        return [
            *commands,
            *resume,
            *self._score(include),
            *self._detect(detect),
            self._updated(),
        ]

    def _format(self, given: Message) -> tuple[str, int]:
        """Encoding and rate; what is not given stays as it is."""
        param = f"{_INPUT}.format"
        present = "audio/pcm" if "rate" in given else _KINDS[self._encoding]
        encoding = _ENCODINGS[choice_field(given, "type", f"{param}.type", _ENCODINGS, present)]
        if encoding != _PCM:
            return encoding, G711_RATE
        rate = self._rate if self._encoding == _PCM else self.rate
        return encoding, rate_field(given, "rate", f"{param}.rate", rate)

    def _update_beta(self, message: Message) -> list[Command | Reply]:
        """The flat shape that the protocol had before it was general."""
        session = session_field(message)
        param = "session.input_audio_format"
        present = _BETA_NAMES[self._encoding]
        name = choice_field(session, "input_audio_format", param, _BETA_ENCODINGS, present)
        encoding = _BETA_ENCODINGS[name]
        form = encoding, self.rate if encoding == _PCM else G711_RATE
        used = "input_audio_transcription"
        known = {"input_audio_format", used, "turn_detection", "include"}
        ignored = unused_fields(session, known, "session")
        include = self._included(session, ignored)
        detect = self._turn_detection(session, "session.turn_detection", ignored)
        given = object_field(session, used, f"session.{used}")
        commands = self._apply(form, given, f"session.{used}", ignored)
        self.beta = True
        return [*commands, *self._score(include), *self._detect(detect), self._updated()]

    def _included(self, session: Message, ignored: list[str]) -> list[str]:
        """What is to be told beyond the text; as it is where nothing is said of it."""
        include = session.get("include", self._include)
        if include is None:
            return []
        if not isinstance(include, list) or not all(isinstance(name, str) for name in include):
            text = "The field 'session.include' must be a list of texts."
            raise BadInput("invalid_value", text, "session.include")
        if set(include) - {_LOGPROBS}:
            ignored.append("session.include")
        return [name for name in include if name == _LOGPROBS][:1]

    def _score(self, include: list[str]) -> list[Command | Reply]:
        changed = include != self._include
        self._include = include
        return [Score(bool(include))] if changed else []

    def _turn_detection(
        self, parent: Message, param: str, ignored: list[str]
    ) -> tuple[Message | None, Detection | None]:
        """What is asked for, in full, and what it means; as it is where nothing is."""
        if "turn_detection" not in parent:
            return self._detection
        if parent["turn_detection"] is None:
            return None, None
        given = object_field(parent, "turn_detection", param)
        kind = choice_field(given, "type", f"{param}.type", _DETECTORS, _DETECTORS[0])
        used = {"type", *_DETECTORS_FIELDS[kind]}
        ignored += unused_fields(given, used, param)
        if kind == "semantic_vad":
            name = choice_field(given, "eagerness", f"{param}.eagerness", _EAGERNESS, "auto")
            detection = Detection(silence_s=_EAGERNESS[name], semantic=True)
            return {"type": kind, "eagerness": name}, detection
        threshold = number_field(given, "threshold", f"{param}.threshold", 0.5, 0, 1)
        prefix = number_field(given, "prefix_padding_ms", f"{param}.prefix_padding_ms", 300, 0, 5e3)
        silence = number_field(
            given, "silence_duration_ms", f"{param}.silence_duration_ms", 500, 100, 1e4
        )
        idle = None
        if given.get("idle_timeout_ms") is not None:
            idle = number_field(given, "idle_timeout_ms", f"{param}.idle_timeout_ms", 0, 1e3, 6e5)
        told = {
            "type": kind,
            "threshold": threshold,
            "prefix_padding_ms": int(prefix),
            "silence_duration_ms": int(silence),
            "idle_timeout_ms": None if idle is None else int(idle),
        }
        idle_s = None if idle is None else idle / 1000
        return told, Detection(threshold, prefix / 1000, silence / 1000, idle_s)

    def _detect(self, detect: tuple[Message | None, Detection | None]) -> list[Command | Reply]:
        changed = detect[1] != self._detection[1]
        self._detection = detect
        return [Detect(detect[1])] if changed else []

    def _apply(
        self, form: tuple[str, int], given: Message, param: str, ignored: list[str]
    ) -> list[Command | Reply]:
        """Take format and `transcription`, or nothing where one field is wrong."""
        check_model(given.get("model"), self.service.models, f"{param}.model")
        language = text_field(given, "language", f"{param}.language", self._language)
        delay = choice_field(given, "delay", f"{param}.delay", _DELAYS, self._delay())
        (self._encoding, self._rate), self._language = form, language
        self._ignored = [*ignored, *unused_fields(given, {"model", "language", "delay"}, param)]
        if delay != self._delay():
            self._ignored.append(f"{param}.delay")
        return [Configure(self._rate)]

    def _updated(self) -> Reply:
        kind = "transcription_session.updated" if self.beta else "session.updated"
        return Reply(self._event(kind, session=self._session()))

    def _delay(self) -> str:
        """The name of the delay that is nearest to the one of this server."""
        return min(_DELAYS, key=lambda name: abs(_DELAYS[name] - self.service.delay_ms))

    # ---- server -> client ------------------------------------------------------------

    def created(self) -> Message:
        """The first message of a connection."""
        kind = "transcription_session.created" if self.beta else "session.created"
        return self._event(kind, session=self._session())

    def encode(self, event: Event) -> list[Message]:
        """How an event is told to the client."""
        match event:
            case Delta():
                delta = {"delta": event.text, "end": seconds(event.end)}
                return [self._of_turn(event.turn, "delta", **delta, **scores(event.logprobs))]
            case SegmentEnded():
                return [self._segment(event)]
            case SpeechStarted():
                start = round(event.position * 1000)
                return [self._of_buffer(event.turn, "speech_started", audio_start_ms=start)]
            case SpeechStopped():
                end = round(event.position * 1000)
                return [self._of_buffer(event.turn, "speech_stopped", audio_end_ms=end)]
            case IdleTimeout():
                times = {
                    "audio_start_ms": round(event.start * 1000),
                    "audio_end_ms": round(event.end * 1000),
                }
                return [self._of_buffer(event.turn, "timeout_triggered", **times)]
            case Committed():
                return self._committed(event)
            case Completed():
                return [self._completed(event)]
            case Failed():
                return [
                    self._of_turn(event.turn, "failed", error=error_body(event.error, self.service))
                ]
            case Cleared():
                return [self._event("input_audio_buffer.cleared")]
            case Acknowledged():
                return [self._event(ACKNOWLEDGED, **acknowledged(event))]
            case Draining():
                return [self._event(DRAINING, seconds=event.seconds)]
            case Ended():
                return []

    def error(self, error: VoxtideError, message: Message | None) -> Message:
        """How an error is told."""
        cause = message.get("event_id") if message else None
        known = isinstance(cause, str) and len(cause) <= LONGEST_TEXT
        body = error_body(error, self.service)
        return self._event("error", error={**body, "event_id": cause if known else None})

    def _segment(self, event: SegmentEnded) -> Message:
        segment = event.segment
        return self._of_turn(
            event.turn,
            "segment",
            id=f"{event.turn}_segment_{segment.number}",
            text=segment.text,
            speaker="",
            start=seconds(segment.start),
            end=seconds(segment.end),
            words=words(segment.words),
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
            **scores(event.logprobs),
            usage={"type": "duration", "seconds": seconds(event.end - event.start)},
            start=seconds(event.start),
            end=seconds(event.end),
            words=words(event.words),
        )

    def _of_buffer(self, turn: str, kind: str, **fields: Any) -> Message:
        return self._event(f"input_audio_buffer.{kind}", item_id=turn, **fields)

    def _of_turn(self, turn: str, kind: str, **fields: Any) -> Message:
        return self._event(f"{_TRANSCRIPTION}.{kind}", item_id=turn, content_index=0, **fields)

    def _event(self, kind: str, **fields: Any) -> Message:
        self._events += 1
        event_id = f"event_{self.service.session_id}_{self._events}"
        return {"type": kind, "event_id": event_id, **fields}

    def _session(self) -> Message:
        transcription = {
            "model": self.service.models[0],
            "language": self._language,
            "delay": self._delay(),
            "delay_ms": self.service.delay_ms,
        }
        about: Message = {
            "id": self.service.session_id,
            "object": "realtime.transcription_session",
            "ignored": self._ignored,
            "include": self._include,
        }
        if self.service.expires_at is not None:
            about["expires_at"] = self.service.expires_at
        if self.beta:
            return {
                **about,
                "input_audio_format": _BETA_NAMES[self._encoding],
                "input_audio_transcription": transcription,
                "input_audio_noise_reduction": None,
                "turn_detection": self._detection[0],
            }
        form: Message = {"type": _KINDS[self._encoding]}
        if self._encoding == _PCM:
            form["rate"] = self._rate
        return {
            **about,
            "type": "transcription",
            "audio": {
                "input": {
                    "format": form,
                    "noise_reduction": None,
                    "transcription": transcription,
                    "turn_detection": self._detection[0],
                }
            },
        }
