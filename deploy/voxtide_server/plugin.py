"""The vLLM endpoint plugin: voxtide's routes in vLLM's API server.

Runs in a stock `vllm serve` with `VLLM_PLUGINS=voxtide`.
"""

from __future__ import annotations

import logging
from argparse import Namespace
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.datastructures import State
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from . import transcriptions, transport, versions
from .engine import Engine

# vLLM sends what its own loggers say to its log, and nothing else.
logger = logging.getLogger("vllm.voxtide")

_REALTIME = "/v1/realtime"


class VoxtidePlugin:
    """What vLLM loads; see `vllm.plugins.endpoint_plugins.interface`."""

    name = "voxtide"
    required_tasks = ("realtime",)

    def attach_router(self, app: FastAPI) -> None:
        """Put voxtide's routes in the place of vLLM's own."""
        # vLLM replaces HTTP routes of the same path by itself, not WebSocket ones.
        app.router.routes[:] = [
            route
            for route in app.router.routes
            if not (isinstance(route, WebSocketRoute) and route.path == _REALTIME)
        ]
        app.router.routes.append(WebSocketRoute(_REALTIME, _Realtime(), name="realtime"))
        app.add_api_route("/v1/audio/transcriptions", _transcriptions, methods=["POST"])

    async def init_state(self, engine_client: Any, state: State, args: Namespace) -> None:
        """Connect the routes to the engine."""
        # Before the adapter's imports of vLLM's internals can fail in their own way.
        versions.check(versions.installed() or "of unknown version")
        from .vllm_engine.engine import VllmEngine

        models = tuple(args.served_model_name or [args.model])
        state.voxtide_engine = VllmEngine(engine_client, models)
        logger.info("voxtide serves %s", ", ".join(models))


def _engine(state: State) -> Engine:
    engine: Engine = state.voxtide_engine
    return engine


class _Realtime:
    """The WebSocket route as a bare ASGI app, since it needs uvicorn's own `receive`."""

    __name__ = "realtime"  # vLLM prints the names of all endpoints at start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport.loosen(receive)
        await transport.serve(WebSocket(scope, receive, send), _engine(scope["app"].state))


async def _transcriptions(request: Request) -> Response:
    return await transcriptions.serve(request, _engine(request.app.state))
