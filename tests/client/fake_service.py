"""A server that speaks HTTP and WebSockets on one port: pages and dialects by their paths."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Page = str | tuple[int, str]
Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def service(
    pages: Mapping[str, Page], talks: Mapping[str, Talk], key: str | None = None
) -> AsyncIterator[str]:
    """The base URL.  Paths of `pages` and `talks` begin after the host, and have their queries."""

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        guarded = request.path.startswith("/v1/")
        if key is not None and guarded and request.headers.get("Authorization") != f"Bearer {key}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "")
        if "Upgrade" in request.headers and request.path in talks:
            return None
        page = pages.get(request.path, (404, ""))
        status, body = (200, page) if isinstance(page, str) else page
        return connection.respond(HTTPStatus(status), body)

    async def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await talks[connection.request.path](connection)
            await connection.wait_closed()

    async with serve(handle, "127.0.0.1", 0, process_request=answer) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def said(connection: ServerConnection) -> dict[str, Any]:
    """The next message of the client."""
    return json.loads(await connection.recv())


async def say(connection: ServerConnection, **message: Any) -> None:
    """A message to the client."""
    await connection.send(json.dumps(message))
