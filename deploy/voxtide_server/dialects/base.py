"""What the dialects have in common: their shape, and checks of incoming fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pybase64

from ..audio import pcm16
from ..engine import Samples
from ..errors import BadInput, UnknownModel, VoxtideError
from ..events import Command, Event

Message = dict[str, Any]
"""A JSON object as it goes over the wire."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a connection gets.

    Attributes:
        session_id: of this connection.
        model: the name under which the model is served.
        delay_ms: between audio and text, the same for all sessions of an engine.
    """

    session_id: str
    model: str
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the dialect itself, which the session does not hear of."""

    message: Message


class Dialect(Protocol):
    """One wire protocol, for one connection."""

    rate: int
    """Rate of the client's audio until it says otherwise, in Hz."""

    def __init__(self, service: Service) -> None: ...

    def receive(self, message: Message) -> list[Command | Reply]:
        """What a client's message asks for.

        Raises:
            BadInput: nothing of the message was done; the connection goes on.
        """
        ...

    def encode(self, event: Event) -> list[Message]:
        """How an event is told to the client; empty if this protocol has no word for it."""
        ...

    def error(self, error: VoxtideError, message: Message | None) -> Message:
        """How an error is told, with the message that caused it where there is one."""
        ...


def audio_field(message: Message) -> Samples:
    """Decode the field `audio`: base64 of PCM16.

    Raises:
        BadInput: it is missing, no text, no base64, or has an odd number of bytes.
    """
    text = message.get("audio")
    if text is None:
        raise BadInput("missing_field", "The field 'audio' is missing.", "audio")
    if not isinstance(text, str):
        raise BadInput("invalid_audio", "The field 'audio' must be base64 text.", "audio")
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError:
        raise BadInput("invalid_audio", "The field 'audio' is not base64.", "audio") from None
    return pcm16(data, "audio")


def check_model(model: object, served: str, param: str) -> None:
    """Refuse a model that is not served; None stands for the one that is.

    Raises:
        BadInput: it is no text, or another model's name.
    """
    if model is None or model == served:
        return
    if not isinstance(model, str):
        raise BadInput("invalid_value", f"The field '{param}' must be text.", param)
    raise UnknownModel(model, served, param)


def unknown_event(message: Message) -> BadInput:
    """The error for a type that a dialect does not know."""
    kind = message.get("type")
    if kind is None:
        return BadInput("missing_field", "The field 'type' is missing.", "type")
    return BadInput("unknown_event", f"There is no event of type {kind!r}.", "type")
