"""vLLM's own realtime protocol, for its present clients.

    client -> server                               server -> client
    session.update {model}                         session.created {id, created}
    input_audio_buffer.append {audio}              transcription.delta {delta}
    input_audio_buffer.commit {final: false}       transcription.done {text, usage}
    input_audio_buffer.commit {final: true}        error {error, code}

Audio is PCM16 at 16 kHz. `commit {final: false}` once started a generation; here
audio is taken as it comes, and it does nothing. `commit {final: true}` ends the
utterance; each one is answered by one transcription.done. Unlike stock vLLM, a
frame in which nothing was said brings no delta.
"""

from __future__ import annotations

from ..engine import SAMPLE_RATE
from ..errors import BadInput, VoxtideError
from ..events import Audio, Command, Commit, Completed, Delta, Draining, Event, Failed
from ..service import Service, check_model
from .base import DRAINING, Message, Reply, audio_field, error_body, unknown_event


class VllmDialect:
    """vLLM's protocol for one connection."""

    name = "vllm"
    rate = SAMPLE_RATE

    def __init__(self, service: Service) -> None:
        self._service = service
        self._checked = False

    def receive(self, message: Message) -> list[Command | Reply]:
        """What a client's message asks for; raises BadInput."""
        match message.get("type"):
            case "session.update":
                return self._update(message)
            case "input_audio_buffer.append":
                return [Audio(audio_field(message))]
            case "input_audio_buffer.commit":
                return self._commit(message)
        raise unknown_event(message)

    def encode(self, event: Event) -> list[Message]:
        """How an event is told to the client."""
        match event:
            case Delta():
                return [{"type": "transcription.delta", "delta": event.text}]
            case Completed():
                return [{"type": "transcription.done", "text": event.text, "usage": _usage(event)}]
            case Failed():
                return [self.error(event.error, None)]
            case Draining():
                return [{"type": DRAINING, "seconds": event.seconds}]
        return []

    def error(self, error: VoxtideError, message: Message | None) -> Message:
        """How an error is told: as a plain text."""
        body = error_body(error, self._service)
        del body["type"]
        return {"type": "error", "error": body.pop("message"), **body}

    def _update(self, message: Message) -> list[Command | Reply]:
        if message.get("model") is None:
            raise BadInput("missing_field", "The field 'model' is missing.", "model")
        check_model(message["model"], self._service.models, "model")
        self._checked = True
        return []

    def _commit(self, message: Message) -> list[Command | Reply]:
        if not self._checked:
            raise BadInput(
                "missing_field", "The model must be set by a session.update first.", "model"
            )
        final = message.get("final", False)
        if not isinstance(final, bool):
            raise BadInput("invalid_value", "The field 'final' must be true or false.", "final")
        return [Commit()] if final else []


def _usage(event: Completed) -> dict[str, int]:
    return {
        "prompt_tokens": event.prompt_tokens,
        "completion_tokens": event.completion_tokens,
        "total_tokens": event.prompt_tokens + event.completion_tokens,
    }
