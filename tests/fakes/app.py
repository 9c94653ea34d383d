"""The plugin's routes on a real uvicorn, with an engine that needs no model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import connect

from tests.fakes.engine import FakeEngine
from voxtide_server.config import Config
from voxtide_server.deployment import Deployment, deploy
from voxtide_server.plugin import VoxtidePlugin

PING = 0.3
"""Seconds between uvicorn's pings, and until it gives up; 20 by default."""


class App:
    """A server of its own.

    Attributes:
        listener: its socket.
        url: HOST:PORT.
    """

    def __init__(self, engine: FakeEngine, deployment: Deployment, listener: Any) -> None:
        self.engine = engine
        self.deployment = deployment
        self.listener = listener
        self.url = f"127.0.0.1:{listener.getsockname()[1]}"

    def connect(
        self, query: str = "?intent=transcription", path: str = "/v1/realtime", **options: Any
    ) -> Any:
        """A WebSocket."""
        url = f"ws://{self.url}{path}{query}"
        return connect(url, **{"max_size": None, "compression": None, **options})


@asynccontextmanager
async def serving(config: Config) -> AsyncIterator[App]:
    """A server with these settings; at its end nothing may be left in it."""
    engine = FakeEngine()
    api = FastAPI()
    VoxtidePlugin().attach_router(api)
    api.state.voxtide = deployment = deploy(engine, config, config.max_sessions or engine.places)
    server = uvicorn.Server(
        uvicorn.Config(
            api,
            port=0,
            log_level="warning",
            log_config=None,  # or what it says would not be seen by a test
            ws_ping_interval=PING,
            ws_ping_timeout=PING,
            timeout_graceful_shutdown=2,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield App(engine, deployment, server.servers[0].sockets[0])
    finally:
        server.should_exit = True
        await task
    assert engine.live == 0, "every stream was given back"
    assert deployment.sessions.inside == deployment.requests.inside == 0


@contextmanager
def serving_in_a_thread(config: Config) -> Iterator[App]:
    """The same for tests that are no coroutines, as those of hypothesis."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    served = serving(config)
    try:
        yield asyncio.run_coroutine_threadsafe(served.__aenter__(), loop).result()
        asyncio.run_coroutine_threadsafe(served.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
