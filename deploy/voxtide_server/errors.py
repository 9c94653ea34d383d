"""Errors of the server, each with the code that a client sees.

    VoxtideError
    ├── BadInput          the client's fault; the connection goes on
    │   └── UnknownModel
    ├── Refused           not let in: no key, no room
    ├── EngineFailed      the engine lost one stream; worth another try
    │   └── EngineDead    it is gone with all of them
    └── InternalError     the server made a mistake

`CODES` is the one table of codes. Every error carries one of them, the field
that is at fault where there is one, whether another try may succeed, and the
HTTP status and WebSocket close code that it maps to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means on each transport.

    Attributes:
        type: OpenAI's error family.
        status: HTTP status.
        close: WebSocket close code, or 0 where the connection goes on.
        retryable: whether the same request may succeed later.
    """

    type: str
    status: int
    close: int = 0
    retryable: bool = False


_INVALID = "invalid_request_error"
_QUOTED = 100

CODES: dict[str, Code] = {
    "audio_too_long": Code(_INVALID, 413),
    "binary_frame": Code(_INVALID, 400),
    "draining": Code("server_error", 503, 1012, retryable=True),
    "empty_audio_file": Code(_INVALID, 400),
    "engine_dead": Code("server_error", 503, 1011, retryable=True),
    "engine_failed": Code("server_error", 503, retryable=True),
    "invalid_api_key": Code(_INVALID, 401, 1008),
    "internal_error": Code("server_error", 500, 1011, retryable=True),
    "invalid_audio": Code(_INVALID, 400),
    "invalid_audio_file": Code(_INVALID, 400),
    "invalid_event": Code(_INVALID, 400),
    "invalid_json": Code(_INVALID, 400),
    "invalid_value": Code(_INVALID, 400),
    "key_limit": Code("rate_limit_error", 429, 1013, retryable=True),
    "message_too_large": Code(_INVALID, 413),
    "missing_field": Code(_INVALID, 400),
    "model_not_found": Code(_INVALID, 404),
    "no_audio_stream": Code(_INVALID, 400),
    "origin_not_allowed": Code(_INVALID, 403, 1008),
    "server_full": Code("server_error", 503, 1013, retryable=True),
    "session_ended": Code(_INVALID, 400),
    "starting": Code("server_error", 503, 1013, retryable=True),
    "truncated_audio_file": Code(_INVALID, 400),
    "unknown_event": Code(_INVALID, 400),
    "unsupported_rate": Code(_INVALID, 400),
    "unsupported_value": Code(_INVALID, 400),
    "upload_stalled": Code(_INVALID, 408, retryable=True),
    "upload_too_large": Code(_INVALID, 413),
}


class VoxtideError(Exception):
    """An error that a client is told.

    Args:
        code: a key of `CODES`.
        message: one plain sentence for a person.
        param: the field at fault, in the wire's own spelling.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.acknowledged_s: float | None = None
        """Where a session that ends with this error has come to: seconds of its audio, up
        to which everything that was said is out."""

    @property
    def traits(self) -> Code:
        """The row of `CODES` for this error."""
        return CODES[self.code]

    def body(self) -> dict[str, Any]:
        """OpenAI's error object: type, code, message, param, and ours where it is known."""
        body: dict[str, Any] = {
            "type": self.traits.type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
        }
        if self.acknowledged_s is not None:
            body["acknowledged_s"] = round(self.acknowledged_s, 3)
        return body


class BadInput(VoxtideError):
    """What a client sent cannot be used."""


class UnknownModel(BadInput):
    """The named model is not served here.

    Args:
        model: the name that was asked for.
        served: the name that is served.
    """

    def __init__(self, model: str, served: str, param: str = "model") -> None:
        message = f"The model {quoted(model)} is not served here; {served!r} is."
        super().__init__("model_not_found", message, param)


class Refused(VoxtideError):
    """A connection or a request is not let in.

    Args:
        retry_s: seconds after which another try makes sense, where one does.
    """

    def __init__(self, code: str, message: str, retry_s: int | None = None) -> None:
        super().__init__(code, message)
        self.retry_s = retry_s


class EngineFailed(VoxtideError):
    """The engine lost a stream."""

    def __init__(
        self, message: str = "The engine could not finish this audio.", code: str = "engine_failed"
    ) -> None:
        super().__init__(code, message)


class EngineDead(EngineFailed):
    """The engine is gone."""

    def __init__(self) -> None:
        super().__init__("The engine is not running.", "engine_dead")


class InternalError(VoxtideError):
    """The server made a mistake; the log says which."""

    def __init__(self) -> None:
        super().__init__("internal_error", "The server made a mistake.")


def quoted(text: str) -> str:
    """A client's own words for a message to it, cut where they are long."""
    return repr(text if len(text) <= _QUOTED else text[:_QUOTED] + "…")
