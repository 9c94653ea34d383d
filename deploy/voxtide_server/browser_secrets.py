"""Short-lived secrets for browsers, which must not have a key: three ways to ask for one.

POST /v1/realtime/client_secrets             OpenAI
POST /v1/realtime/transcription_sessions     OpenAI's beta
POST /v1/client/sessions                     Mistral
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .bodies import in_time
from .deployment import Deployment
from .dialects import Message, OpenAIDialect
from .dialects.base import object_field
from .errors import BadInput, VoxtideError
from .gate import CALLER
from .keys import ANYBODY, Caller
from .responses import failure
from .service import Service, check_model

SHORTEST_S, DEFAULT_S, LONGEST_S = 10, 600, 7200
"""How long a secret opens sessions; sessions that are open go on."""
_LARGEST_BODY = 1 << 16
_LONGEST_SECRET = 7_000
"""Characters: a line of a handshake's header has 8,192 at the most."""


async def client_secret(request: Request) -> Response:
    """OpenAI's: the session is as for session.update."""

    def answer(body: Message, deployment: Deployment, caller: Caller) -> Response:
        expires = object_field(body, "expires_after", "expires_after")
        until = _until(expires.get("seconds"), "expires_after.seconds")
        first, session = _session("session.update", body.get("session"), deployment)
        value = _minted(deployment, caller, until, first)
        return JSONResponse({"value": value, "expires_at": until, "session": session})

    return await _answered(request, answer)


async def transcription_session(request: Request) -> Response:
    """OpenAI's beta: the body is a flat session."""

    def answer(body: Message, deployment: Deployment, caller: Caller) -> Response:
        until = _until(None, "")
        first, session = _session("transcription_session.update", body, deployment)
        value = _minted(deployment, caller, until, first)
        return JSONResponse({**session, "client_secret": {"value": value, "expires_at": until}})

    return await _answered(request, answer)


async def client_session(request: Request) -> Response:
    """Mistral's."""

    def answer(body: Message, deployment: Deployment, caller: Caller) -> Response:
        check_model(body.get("model"), deployment.engine.models, "model")
        if body.get("purpose", "realtime") != "realtime":
            raise BadInput("unsupported_value", "The purpose must be realtime.", "purpose")
        until = _until(body.get("ttl_seconds"), "ttl_seconds")
        expires_at = datetime.fromtimestamp(until, UTC).isoformat()
        secret = {"value": deployment.keys.mint("rt", caller.name, until), "expires_at": expires_at}
        answered = {
            "object": "client.session",
            "purpose": "realtime",
            "expires_at": expires_at,
            "client_secret": secret,
        }
        return JSONResponse(answered, 201)

    return await _answered(request, answer)


ROUTES = [
    Route("/v1/realtime/client_secrets", client_secret, methods=["POST"]),
    Route("/v1/realtime/transcription_sessions", transcription_session, methods=["POST"]),
    Route("/v1/client/sessions", client_session, methods=["POST"]),
]


async def _answered(
    request: Request, answer: Callable[[Message, Deployment, Caller], Response]
) -> Response:
    caller: Caller = request.scope.get(CALLER) or Caller(ANYBODY)
    deployment: Deployment = request.app.state.voxtide
    try:
        body = await _body(in_time(request, deployment.config.upload_idle_seconds))
        return answer(body, deployment, caller)
    except VoxtideError as error:
        return failure(error)
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it


async def _body(request: Request) -> Message:
    """The JSON object in a request; an empty body is an empty one.

    Raises:
        BadInput: it is too large, no JSON, or no object.
    """
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _LARGEST_BODY:
            raise BadInput("message_too_large", "The body is too large.")
    try:
        body = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError as error:
        raise BadInput("invalid_json", f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise BadInput("invalid_value", "The body must be a JSON object.")
    return body


def _minted(deployment: Deployment, caller: Caller, until: int, first: Message) -> str:
    value = deployment.keys.mint("ek", caller.name, until, first)
    if len(value) > _LONGEST_SECRET:
        raise BadInput("message_too_large", "The session is too large for a secret.", "session")
    return value


def _until(seconds: object, param: str) -> int:
    if seconds is None:
        seconds = DEFAULT_S
    if isinstance(seconds, float) and seconds.is_integer():
        seconds = int(seconds)  # JSON knows no difference
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise BadInput("invalid_value", f"The field '{param}' must be a whole number.", param)
    if not SHORTEST_S <= seconds <= LONGEST_S:
        text = f"The field '{param}' must be from {SHORTEST_S} to {LONGEST_S}."
        raise BadInput("invalid_value", text, param)
    return int(time.time()) + seconds


def _session(kind: str, given: object, deployment: Deployment) -> tuple[Message, Message]:
    """The message that sessions begin with, and the session as it will be."""
    engine = deployment.engine
    service = Service(f"sess_{uuid.uuid4().hex[:20]}", engine.models, engine.layout.delay_ms)
    dialect = OpenAIDialect(service)
    first = {"type": kind, "session": given}
    dialect.receive(first)
    return first, dialect.created()["session"]
