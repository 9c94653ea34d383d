"""The log: each line says which request it is about, and each request leaves one line.

A request's id is made here. It stands on every line, in the header `x-request-id` of an
answer over HTTP and in every error; that of a WebSocket is the id of its session. Where
vLLM logs in JSON (`--logging-config.formatter json`), it is a field of its own.

Neither words nor audio are in any line.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from starlette.types import Scope

FIELD = "request_id"
HEADER = "x-request-id"

# vLLM sends what its own loggers say to its log, and nothing else.
logger = logging.getLogger("vllm.voxtide")

_current: ContextVar[str] = ContextVar("request_id")


def install() -> None:
    """Have the id on every line of voxtide's in this process."""
    logger.addFilter(_named)
    logging.getLogger("uvicorn.error").addFilter(_no_refusal)


def request_id() -> str:
    """The id of the request that is being answered; a new one where there is none."""
    return _current.get(None) or _new("req")


@contextmanager
def request(scope: Scope) -> Iterator[str]:
    """Give a request its id, as long as it is being answered."""
    token = _current.set(_new("sess" if scope["type"] == "websocket" else "req"))
    try:
        yield _current.get()
    finally:
        _current.reset(token)


def about(request_id: str) -> dict[str, str]:
    """For `extra` of a line that is written while nothing is being answered."""
    return {FIELD: request_id}


def _new(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:20]}"


def _no_refusal(record: logging.LogRecord) -> bool:
    """uvicorn takes a WebSocket that is refused, as ASGI provides for it, for a mistake."""
    return record.msg != "ASGI callable returned without completing handshake."


def _named(record: logging.LogRecord) -> bool:
    """A filter that lets every line through, with its id."""
    name = getattr(record, FIELD, None) or _current.get(None)
    if name is not None:
        setattr(record, FIELD, name)
        record.msg = f"{name}: {record.msg}"
    return True
