"""Every error that the client raises on purpose.

    VoxtideError
    ├── UnreachableError *         no connection: refused, unknown host, TLS, time is up
    ├── DeadlineError *            connected, but the server did not answer in time
    ├── RejectedError              the request cannot succeed as it is: HTTP 4xx 501,
    │   │                          close 1002 1003 1007 1008 1009 1010 3xxx 4xxx
    │   └── AuthenticationError    HTTP 401 403, close 3000 3003: the key is missing or wrong
    ├── OverloadedError *          HTTP 429 503, close 1013: no room at the moment
    ├── ServerFailedError *        other HTTP 5xx, close 1011: the server broke
    ├── DisconnectedError *        the connection ended before the last turn was final
    └── ProtocolError              the server sent something that breaks the protocol

    * retryable: the same request may succeed later without a change

Mistakes of the calling program (a chunk of the wrong type, `feed()` after `finish()`) raise the
built-in `TypeError`, `ValueError` and `RuntimeError`, and a file that cannot be read raises
`OSError`.
"""

from typing import ClassVar


class VoxtideError(Exception):
    """Base of the tree.

    Attributes:
        message: One sentence or more for people.
        code: A short name for programs: the server's own code where it sent one.
        param: The request field that the server objects to, such as
            ``session.audio.input.format.rate``; None if it names none.
        retryable: Whether the same request may succeed later.
        status: HTTP status, if the error came as an HTTP answer.
        close_code: WebSocket close code, if the error came as the end of a connection.
        retry_after: Seconds after which the server asks to be tried again; None if it does not.
    """

    default_code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        close_code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.param = param
        self.status = status
        self.close_code = close_code
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message if self.param is None else f"{self.message} (field: {self.param})"


class UnreachableError(VoxtideError):
    """No connection could be made to the server."""

    default_code = "unreachable"
    retryable = True


class DeadlineError(VoxtideError):
    """The server is connected but did not answer in time."""

    default_code = "deadline_exceeded"
    retryable = True


class RejectedError(VoxtideError):
    """The server refuses the request; sending it again as it is will not help."""

    default_code = "rejected"


class AuthenticationError(RejectedError):
    """The API key is missing, wrong, or not allowed to do this."""

    default_code = "authentication_failed"


class OverloadedError(VoxtideError):
    """The server has no room at the moment; try again later or elsewhere."""

    default_code = "overloaded"
    retryable = True


class ServerFailedError(VoxtideError):
    """The server met an error of its own."""

    default_code = "server_failed"
    retryable = True


class DisconnectedError(VoxtideError):
    """The connection ended before the final transcript of the last turn."""

    default_code = "disconnected"
    retryable = True


class ProtocolError(VoxtideError):
    """The server sent something that breaks the protocol."""

    default_code = "protocol_violation"
