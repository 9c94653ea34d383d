"""From what went wrong on the wire to the errors of `voxtide.errors`."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .errors import (
    AuthenticationError,
    DeadlineError,
    DisconnectedError,
    OverloadedError,
    ProtocolError,
    RejectedError,
    ServerFailedError,
    UnreachableError,
    VoxtideError,
)
from .retry import asked_wait

_BY_STATUS: Mapping[int, type[VoxtideError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    408: DeadlineError,
    429: OverloadedError,
    501: RejectedError,
    503: OverloadedError,
    504: DeadlineError,
}

# RFC 6455 section 7.4 and the IANA registry; 1012 to 1014 were registered later.
_BY_CLOSE_CODE: Mapping[int, type[VoxtideError]] = {
    1002: RejectedError,
    1003: RejectedError,
    1007: RejectedError,
    1008: RejectedError,
    1009: RejectedError,
    1010: RejectedError,
    1011: ServerFailedError,
    1013: OverloadedError,
    3000: AuthenticationError,
    3003: AuthenticationError,
}

_CLOSE_MEANINGS: Mapping[int, str] = {
    1000: "the server ended the session early",
    1001: "the server is going away",
    1006: "the connection was lost",
    1008: "the server refused the session",
    1009: "the server found a message too large",
    1011: "the server met an internal error",
    1012: "the server restarts",
    1013: "the server is overloaded",
}

_BY_ERROR_NAME: Mapping[str, type[VoxtideError]] = {
    "authentication_error": AuthenticationError,
    "invalid_api_key": AuthenticationError,
    "permission_error": AuthenticationError,
    "engine_dead": ServerFailedError,
    "engine_failed": ServerFailedError,
    "overloaded": OverloadedError,
    "overloaded_error": OverloadedError,
    "rate_limit_error": OverloadedError,
    "rate_limit_exceeded": OverloadedError,
    "server_error": ServerFailedError,
    "internal_error": ServerFailedError,
    "internal_server_error": ServerFailedError,
}


def from_error_object(error: Mapping[str, Any]) -> VoxtideError:
    """The error that an `error` object of the OpenAI API {message, type, code, param} means."""
    message, code, param = _described(error)
    for name in (error.get("code"), error.get("type")):
        if isinstance(name, str) and name in _BY_ERROR_NAME:
            return _BY_ERROR_NAME[name](message, code=code, param=param)
    return RejectedError(message, code=code, param=param)


def from_http(status: int, body: bytes, url: str, headers: Mapping[str, str]) -> VoxtideError:
    """The error that an HTTP answer with a status of 300 or more means.

    Args:
        headers: Of the answer; names are looked up in small letters.
    """
    kind = _BY_STATUS.get(status) or (ServerFailedError if status >= 500 else RejectedError)
    wait = asked_wait(headers)
    error = _error_object(body)
    if error is not None:
        message, code, param = _described(error)
        # 503 alone may mean a broken server as well as a full one.
        kind = _BY_ERROR_NAME.get(str(error.get("code")), kind)
        return kind(message, code=code, param=param, status=status, retry_after=wait)
    text = " ".join(body.decode("utf-8", "replace").split())[:200]
    message = f"{url} answered HTTP {status}" + (f": {text}" if text else "")
    return kind(message, status=status, retry_after=wait)


def from_close(code: int, reason: str, reported: VoxtideError | None) -> VoxtideError:
    """The error that the end of a connection means.

    A server that gives up sends an error event first and then closes: `reported` is that error,
    whose words and code say more than the close code does.
    """
    kind = _BY_CLOSE_CODE.get(code, RejectedError if code >= 3000 else DisconnectedError)
    if reported is not None:
        kind = type(reported) if kind in (RejectedError, DisconnectedError) else kind
        return kind(reported.message, code=reported.code, param=reported.param, close_code=code)
    meaning = _CLOSE_MEANINGS.get(code, "the server closed the connection")
    message = f"{meaning} before the last transcript was final (close code {code})"
    return kind(f"{message}: {reason}" if reason else message, close_code=code)


@contextmanager
def connecting(url: str) -> Iterator[None]:
    """Turn what opening a WebSocket to `url` raises into our errors."""
    # Slow to import, and whoever transcribes files does without it.
    from websockets.exceptions import InvalidStatus, WebSocketException

    try:
        yield
    except InvalidStatus as refused:
        response = refused.response
        headers = {name.lower(): value for name, value in response.headers.raw_items()}
        raise from_http(
            response.status_code, bytes(response.body or b""), url, headers
        ) from refused
    except TimeoutError as late:
        raise _no_connection(url) from late
    except (OSError, WebSocketException, EOFError) as failed:
        raise _unreachable(url, failed) from failed


@contextmanager
def posting(url: str) -> Iterator[None]:
    """Turn what httpx raises for a request to `url`, in either shell, into our errors."""
    import httpx  # slow to import, and sessions do without it

    try:
        yield
    except httpx.ConnectTimeout as late:
        raise _no_connection(url) from late
    except httpx.TimeoutException as late:
        raise DeadlineError(f"{url} did not answer in time") from late
    except httpx.RemoteProtocolError as cut:
        raise DisconnectedError(f"{url} closed the connection without an answer") from cut
    except httpx.TransportError as failed:
        raise _unreachable(url, failed) from failed


def _no_connection(url: str) -> VoxtideError:
    return UnreachableError(f"no connection to {url} in time", code="timeout")


def _unreachable(url: str, failed: BaseException) -> VoxtideError:
    return UnreachableError(f"cannot reach {url}: {_cause(failed)}")


def _cause(failed: BaseException) -> str:
    root = failed
    while (root.__cause__ or root.__context__) is not None:
        root = root.__cause__ or root.__context__ or root
    if isinstance(root, ConnectionRefusedError) or "Connect call failed" in str(failed):
        return "connection refused; is the server running?"
    if isinstance(root, ssl.SSLError):
        return f"TLS failed ({root.reason or root})"
    return str(failed) or type(failed).__name__


def _described(error: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Message, code and field of an error object; servers differ in what they leave out."""
    code = error.get("code") or error.get("type")
    param = error.get("param")
    message = str(error.get("message") or code or "the server gave no reason")
    return message, str(code) if code else None, str(param) if param else None


def _error_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else None


def unreadable(what: str, why: str) -> ProtocolError:
    """The error for an answer that cannot be understood."""
    return ProtocolError(f"the server sent {what} that cannot be read: {why}")
