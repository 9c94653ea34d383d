"""What the dialects have in common: their shape, and checks of incoming fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import pybase64

from ..audio import RATES, decode
from ..engine import Samples
from ..errors import BadInput, VoxtideError, quoted
from ..events import Acknowledge, Acknowledged, Command, Event, Resume, Scored, Word
from ..service import Service

_MOST_IGNORED = 50
LONGEST_TEXT = 200
"""Characters of a client's text that is told again."""

ACKNOWLEDGED = "session.acknowledged"
LONGEST_CONTEXT_S = 60.0
"""Audio at the most that a resumed session hears again without telling its words."""
"""Beyond every protocol, for who asked: everything said before `position` is out."""
DRAINING = "session.draining"
"""Beyond every protocol: the server is to stop in so many `seconds`, and the connection is
closed with 1012 after this turn."""

Message = dict[str, Any]
"""A JSON object as it goes over the wire."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the dialect itself, which the session does not hear of."""

    message: Message


class Dialect(Protocol):
    """One wire protocol, for one connection."""

    name: str
    """As metrics tell it."""
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


def audio_field(message: Message, encoding: str = "pcm_s16le") -> Samples:
    """Decode the field `audio`: base64 of samples.

    Args:
        message: of the client.
        encoding: of its samples, one of `audio.ENCODINGS`.

    Raises:
        BadInput: it is missing, no text, no base64, or no whole number of samples.
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
    return decode(data, encoding, "audio")


def error_body(error: VoxtideError, service: Service) -> Message:
    """An error as all dialects tell it; the id of the request is the session's."""
    return {**error.body(), "request_id": service.session_id}


def unknown_event(message: Message) -> BadInput:
    """The error for a type that a dialect does not know."""
    kind = message.get("type")
    if kind is None:
        return BadInput("missing_field", "The field 'type' is missing.", "type")
    if not isinstance(kind, str):
        return BadInput("unknown_event", "The field 'type' must be text.", "type")
    return BadInput("unknown_event", f"There is no event of type {quoted(kind)}.", "type")


def session_field(message: Message) -> Message:
    """The object at the field `session`; raises BadInput."""
    if "session" not in message:
        raise BadInput("missing_field", "The field 'session' is missing.", "session")
    return object_field(message, "session", "session")


def object_field(parent: Message, name: str, param: str) -> Message:
    """The object at a field; empty if it is absent or null; raises BadInput."""
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput("invalid_value", f"The field '{param}' must be an object.", param)
    return value


def text_field(parent: Message, name: str, param: str, present: str | None) -> str | None:
    """The text at a field; `present` if it is absent, None if it is null; raises BadInput."""
    value = parent.get(name, present)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        message = f"The field '{param}' must be text of at most {LONGEST_TEXT} characters."
        raise BadInput("invalid_value", message, param)
    return value


def choice_field(
    parent: Message, name: str, param: str, choices: Iterable[str], present: str
) -> str:
    """The word at a field; `present` if it is absent or null; raises BadInput."""
    value = parent.get(name)
    if value is None:
        return present
    known = list(choices)
    if value not in known:
        text = f"The field '{param}' must be one of {', '.join(known)}."
        raise BadInput("unsupported_value", text, param)
    return str(value)


def number_field(
    parent: Message, name: str, param: str, present: float, least: float, most: float
) -> float:
    """The number at a field; `present` if it is absent or null; raises BadInput."""
    value = parent.get(name)
    if value is None:
        return present
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        text = f"The field '{param}' must be a number from {least:g} to {most:g}."
        raise BadInput("invalid_value", text, param)
    return value


def rate_field(parent: Message, name: str, param: str, present: int) -> int:
    """The sample rate at a field; `present` if it is absent; raises BadInput."""
    rate = parent.get(name, present)
    if rate not in RATES or not isinstance(rate, int):
        rates = ", ".join(map(str, RATES))
        text = f"The sample rate must be one of {rates} Hz."
        raise BadInput("unsupported_rate", text, param)
    return rate


def unused_fields(given: Message, used: set[str], path: str) -> list[str]:
    """Paths of the fields that are set and have no effect here."""
    unused = [name for name, value in given.items() if name not in used and value]
    return [f"{path}.{name[:LONGEST_TEXT]}" for name in unused[:_MOST_IGNORED]]


def resume_fields(session: Message, begun: bool) -> list[Command]:
    """What a session update says of going on elsewhere; raises BadInput.

    Args:
        session: of the update. `acknowledge` asks for acknowledgements; `resume` says where
            another session ended: {"at": seconds, "previous_item_id": id or null,
            "turn_start": seconds or null, "words_after": seconds or null}.
        begun: whether audio has come already.
    """
    commands: list[Command] = []
    resume = object_field(session, "resume", "session.resume")
    if resume:
        at = resume.get("at")
        if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at < 1e8:
            text = "The field 'session.resume.at' must be a position in seconds."
            raise BadInput("invalid_value", text, "session.resume.at")
        name = "turn_start"
        turn_start = number_field(resume, name, f"session.resume.{name}", at, 0, at)
        if begun:
            text = "A session can only be resumed before its first audio."
            raise BadInput("invalid_value", text, "session.resume")
        name = "previous_item_id"
        previous = text_field(resume, name, f"session.resume.{name}", None)
        name = "words_after"
        latest = at + LONGEST_CONTEXT_S
        words_after = number_field(resume, name, f"session.resume.{name}", at, at, latest)
        commands.append(Resume(float(at), previous, float(turn_start), float(words_after)))
    if session.get("acknowledge") not in (None, True, False):
        text = "The field 'session.acknowledge' must be true or false."
        raise BadInput("invalid_value", text, "session.acknowledge")
    if session.get("acknowledge"):
        commands.append(Acknowledge())
    return commands


def seconds(time: float) -> float:
    """A time as it is told: in whole milliseconds."""
    return round(time, 3)


def acknowledged(event: Acknowledged) -> Message:
    """The fields of an acknowledgement. Its places are told to the microsecond: another session
    that is given them cuts the audio into the same frames."""
    return {
        "position": round(event.position, 6),
        "item_id": event.turn,
        "turn_start": None if event.turn_start is None else round(event.turn_start, 6),
        "words": words(event.words),
    }


def scores(given: tuple[Scored, ...]) -> Message:
    """The field `logprobs` of OpenAI's API, where they were asked for.

    Half a character is told by its bytes alone.
    """
    told = [
        {
            "token": scored.piece.decode(errors="replace"),
            "bytes": list(scored.piece),
            "logprob": round(scored.logprob, 4),
        }
        for scored in given
    ]
    return {"logprobs": told} if told else {}


def words(given: tuple[Word, ...]) -> list[Message]:
    """Words as OpenAI's API tells them."""
    return [{"word": w.text, "start": seconds(w.start), "end": seconds(w.end)} for w in given]
