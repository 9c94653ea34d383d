"""A WebSocket connection: the only place where messages meet the network.

One task reads, one writes. The reader stops reading while the session has as
much audio waiting as it may, or the client does not take its messages, so that
backpressure reaches the client through TCP and memory stays bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
import uuid
from collections.abc import MutableMapping
from typing import Any

import orjson
from starlette.types import Receive
from starlette.websockets import WebSocket, WebSocketDisconnect

from .dialects import Dialect, Message, Reply, Service, choose, greeting
from .dialects.base import check_model
from .dialects.openai import OpenAIDialect
from .engine import Engine
from .errors import BadInput, UnknownModel, VoxtideError
from .events import Configure, Event, Failed
from .runner import Runner
from .session import Session

_POLICY_VIOLATION = 1008

logger = logging.getLogger("voxtide")

MAX_UNSENT = 1_000
"""Messages that may wait for a client before it is not listened to any more."""
RECEIVE_BUFFER = 1 << 17
"""Bytes that the kernel may hold of what is not read yet (Linux doubles it): about 6 s
of PCM16 at 16 kHz in base64."""


async def serve(websocket: WebSocket, engine: Engine) -> None:
    """Carry one connection to its end.

    Args:
        websocket: not yet accepted.
        engine: that transcribes its audio.
    """
    await websocket.accept(subprotocol=_subprotocol(websocket))
    connection = _Connection(websocket, engine)
    await connection.run()


def loosen(receive: Receive) -> None:
    """Make backpressure bearable for a client's keep-alive.

    A client that is made to wait has its pings and pongs queued behind audio that
    is not read yet, and both uvicorn and the `websockets` clients give up on a
    connection that is silent for 20 s. So the kernel may hold only a few seconds
    of audio, not the megabytes that it grows to by itself, and uvicorn asks for no
    pong; a client that is gone is noticed by TCP.

    Args:
        receive: of uvicorn; anything else is left as it is.
    """
    protocol: Any = getattr(receive, "__self__", None)
    if hasattr(protocol, "ping_timeout"):
        protocol.ping_timeout = None
    connection = getattr(protocol, "transport", None)
    if connection is not None and (sock := connection.get_extra_info("socket")):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def _subprotocol(websocket: WebSocket) -> str | None:
    """Browsers of the OpenAI SDK offer "realtime" and give up unless it is taken."""
    offered = websocket.scope.get("subprotocols") or []
    return "realtime" if "realtime" in offered else None


class _Connection:
    def __init__(self, websocket: WebSocket, engine: Engine) -> None:
        session_id = f"sess_{uuid.uuid4().hex[:20]}"
        self._websocket = websocket
        self._service = Service(session_id, engine.model, engine.layout.delay_ms)
        self._dialect: Dialect | None = None
        self._unsent: asyncio.Queue[Message | int] = asyncio.Queue()
        self._sent = asyncio.Event()
        self._runner = Runner(
            Session(session_id, engine.layout, engine.vocabulary), engine, self._on_event
        )

    async def run(self) -> None:
        writer = asyncio.create_task(self._write())
        try:
            check_model(self._websocket.query_params.get("model"), self._service.model, "model")
            self._send(greeting(self._service, time.time()))
            await self._read()
        except UnknownModel as error:
            self._fail(error, None)
            self._unsent.put_nowait(_POLICY_VIOLATION)
        except WebSocketDisconnect:
            pass
        except Exception:
            logger.exception("%s: internal error", self._service.session_id)
            self._fail(VoxtideError("internal_error", "The server made a mistake."), None)
        finally:
            await self._runner.close()
            await self._stop(writer)

    # ---- client -> session -----------------------------------------------------------

    async def _read(self) -> None:
        while True:
            frame = await self._websocket.receive()
            if frame["type"] == "websocket.disconnect":
                return
            message = None
            try:
                message = _parse(frame)
                self._take(message)
            except BadInput as error:
                self._fail(error, message)
            await self._room()

    def _take(self, message: Message) -> None:
        dialect = self._dialect or self._settle(message)
        for command in dialect.receive(message):
            if isinstance(command, Reply):
                self._send(command.message)
            else:
                self._runner.command(command)

    def _settle(self, first: Message) -> Dialect:
        dialect = choose(self._websocket.query_params, first)(self._service)
        self._runner.command(Configure(dialect.rate))
        self._dialect = dialect
        return dialect

    async def _room(self) -> None:
        await self._runner.room()
        while self._unsent.qsize() > MAX_UNSENT:
            self._sent.clear()
            await self._sent.wait()

    # ---- session -> client -----------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        assert self._dialect is not None, "no event comes before the first command"
        for message in self._dialect.encode(event):
            self._send(message)
        if isinstance(event, Failed) and event.error.traits.close:
            self._unsent.put_nowait(event.error.traits.close)

    def _fail(self, error: VoxtideError, cause: Message | None) -> None:
        dialect = self._dialect or OpenAIDialect(self._service)
        self._send(dialect.error(error, cause))
        if error.traits.close:
            self._unsent.put_nowait(error.traits.close)

    def _send(self, message: Message) -> None:
        self._unsent.put_nowait(message)

    async def _write(self) -> None:
        """Send until the connection ends; an integer is a close code."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client is gone
            while True:
                item = await self._unsent.get()
                if isinstance(item, int):
                    await self._websocket.close(item)
                    return
                await self._websocket.send_text(orjson.dumps(item).decode())
                self._sent.set()

    async def _stop(self, writer: asyncio.Task[None]) -> None:
        if not self._unsent.empty() and not writer.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(writer), 1.0)
        writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writer


def _parse(frame: MutableMapping[str, Any]) -> Message:
    """The JSON object in a frame.

    Raises:
        BadInput: the frame is binary, no JSON, or no object.
    """
    text = frame.get("text")
    if not isinstance(text, str):
        raise BadInput("binary_frame", "Messages are JSON in text frames, not binary ones.")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput("invalid_json", f"The message is not JSON: {error}.") from None
    if not isinstance(message, dict):
        raise BadInput("invalid_event", "The message must be a JSON object with a 'type'.")
    return message
