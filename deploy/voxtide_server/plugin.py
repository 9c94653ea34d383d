"""The vLLM endpoint plugin: voxtide's routes in vLLM's API server.

Runs in a stock `vllm serve` with `VLLM_PLUGINS=voxtide`.
"""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.datastructures import State
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from . import (
    browser_secrets,
    capacity,
    config,
    connections,
    handshake,
    health,
    logs,
    metrics,
    openapi,
    page,
    transcriptions,
    transport,
    versions,
)
from .deployment import deploy
from .dialects import MISTRAL_PATH
from .drain import FOLDER
from .engine import FRAME_S
from .gate import Gate
from .logs import logger

_REALTIME = "/v1/realtime"


class VoxtidePlugin:
    """What vLLM loads; see `vllm.plugins.endpoint_plugins.interface`."""

    name = "voxtide"
    required_tasks = ("realtime",)

    def attach_router(self, app: FastAPI) -> None:
        """Put voxtide's routes in the place of vLLM's own."""
        handshake.install()
        # vLLM replaces HTTP routes of the same path by itself, not WebSocket ones.
        app.router.routes[:] = [
            route
            for route in app.router.routes
            if not (isinstance(route, WebSocketRoute) and route.path == _REALTIME)
        ]
        for path in (_REALTIME, MISTRAL_PATH):
            app.router.routes.append(WebSocketRoute(path, _Realtime(), name="realtime"))
        app.router.routes += [*health.ROUTES, *browser_secrets.ROUTES]
        app.add_middleware(page.Page)
        app.add_middleware(Gate)
        logs.install()
        app.add_api_route("/v1/audio/transcriptions", _transcriptions, methods=["POST"])
        openapi.describe(app)

    async def init_state(self, engine_client: Any, state: State, args: Namespace) -> None:
        """Connect the routes to the engine."""
        # Before the adapter's imports of vLLM's internals can fail in their own way.
        versions.check(versions.installed() or "of unknown version")
        from .vllm_engine.engine import VllmEngine

        models = tuple(args.served_model_name or [args.model])
        settings = config.load(os.environ)
        engine = VllmEngine(engine_client, models, settings.renew_seconds)
        folder = os.environ.get(FOLDER)
        room = settings.max_sessions or engine.places
        if settings.max_sessions is None and engine.measurable:
            room = await capacity.measured(engine)
        logger.info("room for %d sessions, the engine has %d places", room, engine.places)
        run_folder = Path(folder) if folder else None
        state.voxtide = deployment = deploy(engine, settings, room, run_folder)
        metrics.CAPACITY.set(deployment.sessions.most)
        metrics.DELAY.set(engine.layout.delay * FRAME_S)
        metrics.START.set_to_current_time()
        metrics.BUILD.labels(version("voxtide"), versions.installed() or "").set(1)
        watching = deployment.drain.watch(lambda: deployment.busy)
        state.voxtide_drain = asyncio.create_task(watching)  # or it would be forgotten
        logger.info("voxtide serves %s", ", ".join(models))


class _Realtime:
    """The WebSocket route as a bare ASGI app, since it needs uvicorn's own `receive`."""

    __name__ = "realtime"  # vLLM prints the names of all endpoints at start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connections.prepare(receive)
        await transport.serve(WebSocket(scope, receive, send), scope["app"].state.voxtide)


async def _transcriptions(request: Request) -> Response:
    connections.end_when_gone(request.receive)
    return await transcriptions.serve(request, request.app.state.voxtide)
