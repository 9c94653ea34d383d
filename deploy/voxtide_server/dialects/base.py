"""What the dialects have in common: their shape, and checks of incoming fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pybase64

from ..audio import pcm16
from ..engine import Samples
from ..errors import BadInput, VoxtideError, quoted
from ..events import Command, Event
from ..service import Service

Message = dict[str, Any]
"""A JSON object as it goes over the wire."""


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


def unknown_event(message: Message) -> BadInput:
    """The error for a type that a dialect does not know."""
    kind = message.get("type")
    if kind is None:
        return BadInput("missing_field", "The field 'type' is missing.", "type")
    if not isinstance(kind, str):
        return BadInput("unknown_event", "The field 'type' must be text.", "type")
    return BadInput("unknown_event", f"There is no event of type {quoted(kind)}.", "type")
