"""The page to talk to: `/`, its files at `/page/…`, and the door; see docs/page.md.

A browser is not told why a handshake was refused. The page asks at the door, which
answers a plain request as `/v1/realtime` would answer a handshake at that moment.
"""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .deployment import Deployment
from .errors import Refused
from .gate import CALLER, DOOR, PAGE, of_page, route_path
from .keys import ANYBODY, Caller
from .responses import failure

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # A browser asks each time whether its copy is still good: after an update of the
    # server no old script meets a new page.
    "Cache-Control": "no-cache",
}
"""Of the page and its files."""

_FILES = StaticFiles(directory=Path(__file__).with_name("page"))


class Page:
    """ASGI middleware: serves the page where it is switched on.

    Args:
        app: that answers everything else, and all where the page is off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "http" and of_page(route_path(scope)) and _on(scope):
            await _ROUTER(scope, receive, _with_headers(send))
        else:
            await self._app(scope, receive, send)


def _on(scope: Scope) -> bool:
    deployment: Deployment = scope["app"].state.voxtide
    return deployment.config.page


def _with_headers(send: Send) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return told


async def _index(request: Request) -> Response:
    return await _FILES.get_response("index.html", request.scope)


async def _door(request: Request) -> Response:
    """204 where a session would be let in; keys and origins are the gate's matter."""
    deployment: Deployment = request.app.state.voxtide
    caller: Caller = request.scope.get(CALLER) or Caller(ANYBODY)
    try:
        deployment.check_open()
        deployment.sessions.check(caller.name)
    except Refused as error:
        return failure(error)
    return Response(status_code=204)


_ROUTER = ExceptionMiddleware(
    Router(
        [Route("/", _index), Route(DOOR, _door, methods=["POST"]), Mount(PAGE, _FILES)],
        redirect_slashes=False,
    )
)
