"""The gate in front of all routes, vLLM's own included: keys, origins, a line in the log.

Where a key is asked for, it may be shown as

    Authorization: Bearer KEY                                  every client
    Sec-WebSocket-Protocol: …, openai-insecure-api-key.KEY     browsers with OpenAI's SDK
    Sec-WebSocket-Protocol: realtime, rt_…                     browsers with Mistral's SDK

and nowhere else: an address ends up in logs.
"""

from __future__ import annotations

import time
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from . import logs, metrics
from .deployment import Deployment
from .errors import InternalError, Refused, VoxtideError
from .keys import ANYBODY, Caller
from .logs import logger
from .responses import failure

CALLER = "voxtide.caller"
"""Where the gate leaves in a scope who came in: a `keys.Caller`."""

PAGE = "/page"
"""Where the files of the page to talk to are; the page itself is at `/`."""
DOOR = f"{PAGE}/door"
"""Where the page asks whether a session would be let in."""

_SUBPROTOCOL_KEY = "openai-insecure-api-key."
_LONGEST_PATH = 100
_HEALTH = {"/health", "/ping", "/load", "/version"}


class Gate:
    """ASGI middleware. vLLM's CORS middleware stands before it, and answers preflights.

    Args:
        app: behind the gate.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or refuse with 401 or 403."""
        if scope["type"] == "http":
            with logs.request(scope) as request_id:
                await self._answer(scope, receive, _Answer(scope, send, request_id))
        elif scope["type"] == "websocket":
            with logs.request(scope):
                await self._pass(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """A mistake of the server, in vLLM's routes too, is told as an error with an id."""
        try:
            await self._pass(scope, receive, answer.send)
        except Exception:
            if answer.begun:
                raise
            logger.exception("internal error")
            error = InternalError()
            metrics.ERRORS.labels(error.code).inc()
            await failure(error)(scope, receive, answer.send)
        finally:
            answer.log()

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        deployment: Deployment | None = getattr(scope["app"].state, "voxtide", None)
        try:
            if deployment is not None:
                scope[CALLER] = _admit(scope, deployment)
            elif not _of_health(route_path(scope)):
                raise Refused("starting", "The server is starting.", 5)
        except Refused as error:
            await refuse(scope, receive, send, error)
            return
        await self._app(scope, receive, send)


class _Answer:
    """What a request over HTTP is answered, for its header and its line in the log."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._request_id = request_id
        self._status: int | None = None
        self._began = time.monotonic()

    @property
    def begun(self) -> bool:
        """Whether there is an answer, or the beginning of one."""
        return self._status is not None

    async def send(self, message: Message) -> None:
        """As ASGI's `send`."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message.setdefault("headers", [])
            MutableHeaders(scope=message)[logs.HEADER] = self._request_id
        await self._send(message)

    def log(self) -> None:
        """Write the line; probes and scrapes leave none."""
        path = route_path(self._scope)
        if _of_health(path) or _of_metrics(path):
            return
        caller: Caller = self._scope.get(CALLER) or Caller(ANYBODY)
        seconds = time.monotonic() - self._began
        method, key, status = self._scope["method"], caller.name or "-", self._status or "-"
        logger.info("%s %s %s %.3f s, key %s", method, _shown_path(path), status, seconds, key)


def route_path(scope: Scope) -> str:
    """The path of a request without the prefix under which vLLM is told that it stands."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "").rstrip("/"))


def of_page(path: str) -> bool:
    """Whether a path is the page's, where there is one."""
    return path == "/" or path.startswith(f"{PAGE}/")


def _admit(scope: Scope, deployment: Deployment) -> Caller:
    headers = Headers(scope=scope)
    config, path = deployment.config, route_path(scope)
    of_session = scope["type"] == "websocket" or path == DOOR
    if of_session:
        origin, allowed = headers.get("origin"), config.allowed_origins
        known = {part.strip() for part in allowed.split(",")}
        if origin is not None and "*" not in known and origin not in known:
            raise Refused("origin_not_allowed", "Pages of this origin may not open sessions.")
    caller = deployment.keys.caller(_shown(headers, scope))
    if caller is not None and caller.temporary and not of_session:
        # A browser's secret opens sessions, and nothing else.
        caller = None if deployment.keys.asked_for else Caller(ANYBODY)
    if caller is None and _guarded(path, deployment):
        raise Refused("invalid_api_key", "The API key is missing or wrong.")
    return caller or Caller(ANYBODY)


def _guarded(path: str, deployment: Deployment) -> bool:
    config = deployment.config
    if _of_metrics(path):
        return config.guard_metrics
    if of_page(path) and path != DOOR:
        return not config.page
    return config.guard_health if _of_health(path) else True


def _shown_path(path: str) -> str:
    """A path for the log: a client may have put lines and colours of its own into it."""
    return quote(path[:_LONGEST_PATH])


def _of_metrics(path: str) -> bool:
    return path == "/metrics" or path.startswith("/metrics/")


def _of_health(path: str) -> bool:
    return path in _HEALTH or path.startswith("/health/")


def _shown(headers: Headers, scope: Scope) -> list[str]:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    shown = [key.strip()] if scheme.lower() == "bearer" else []
    for offered in scope.get("subprotocols") or ():
        if offered.startswith(_SUBPROTOCOL_KEY):
            shown.append(offered.removeprefix(_SUBPROTOCOL_KEY))
        elif offered.startswith("rt_"):
            shown.append(offered)
    return shown


async def refuse(scope: Scope, receive: Receive, send: Send, error: VoxtideError) -> None:
    """Answer with an error; a WebSocket before its handshake is done."""
    metrics.REFUSED.labels(error.code).inc()
    if scope["type"] == "http":
        await failure(error)(scope, receive, send)
        return
    logger.info("%s refused: %s", _shown_path(route_path(scope)), error.code)
    websocket = WebSocket(scope, receive, send)
    if "websocket.http.response" in scope.get("extensions", {}):
        await websocket.send_denial_response(failure(error))
    else:
        await websocket.close(error.traits.close)
