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
from collections import deque
from collections.abc import MutableMapping
from typing import Any

import orjson
from starlette.types import Receive
from starlette.websockets import WebSocket, WebSocketDisconnect

from .dialects import Dialect, Message, OpenAIDialect, Reply, choose, greeting
from .engine import Engine
from .errors import BadInput, InternalError, UnknownModel, VoxtideError
from .events import Audio, Command, Configure, Event
from .runner import Runner
from .service import Service, check_model
from .session import Session

_POLICY_VIOLATION = 1008

logger = logging.getLogger("vllm.voxtide")

MAX_UNSENT_BYTES = 1 << 20
"""Bytes of messages that may wait for a client before it is not listened to any more."""
PIECE_SAMPLES = 48_000
"""Samples of a large message that are taken at a time: 1 s at the highest rate."""
GONE_MS = 120_000
"""Milliseconds after which a client whose machine acknowledges nothing is gone."""
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
    of audio, not the megabytes that it grows to by itself, and uvicorn needs no
    pong; that a client's machine is gone is noticed by TCP.

    Args:
        receive: of uvicorn; anything else is left as it is.
    """
    protocol: Any = getattr(receive, "__self__", None)
    if hasattr(protocol, "ping_timeout"):
        protocol.ping_timeout = None
    connection = getattr(protocol, "transport", None)
    if connection is not None and (sock := connection.get_extra_info("socket")):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)


def _subprotocol(websocket: WebSocket) -> str | None:
    """Browsers of the OpenAI SDK offer "realtime" and give up unless it is taken."""
    offered = websocket.scope.get("subprotocols") or []
    return "realtime" if "realtime" in offered else None


class _Connection:
    def __init__(self, websocket: WebSocket, engine: Engine) -> None:
        session_id = f"sess_{uuid.uuid4().hex[:20]}"
        self._websocket = websocket
        self._id = session_id
        self._models = engine.models
        self._opening = OpenAIDialect(Service(session_id, engine.models, engine.layout.delay_ms))
        self._dialect: Dialect = self._opening
        self._settled = False
        self._unsent: deque[bytes | int] = deque()
        self._unsent_bytes = 0
        self._news = asyncio.Event()
        self._sent = asyncio.Event()
        self._runner = Runner(
            Session(session_id, engine.layout, engine.vocabulary),
            engine,
            self._on_event,
            lambda error: self._fail(error, None),
        )

    async def run(self) -> None:
        """Read and write until either ends: a reader that waits for room would not
        notice that the client is gone."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._runner.close()

    # ---- client -> session -----------------------------------------------------------

    async def _read(self) -> None:
        """Take messages until the client leaves or is told why it must."""
        try:
            check_model(self._websocket.query_params.get("model"), self._models, "model")
            self._send(greeting(self._opening, time.time()))
            while (frame := await self._websocket.receive())["type"] != "websocket.disconnect":
                await self._answer(frame)
            return
        except UnknownModel as error:
            self._fail(error, None)
            self._close(_POLICY_VIOLATION)
        except WebSocketDisconnect:
            return
        except Exception:
            logger.exception("%s: internal error", self._id)
            self._fail(InternalError(), None)
        await asyncio.Event().wait()  # until the writer has told it

    async def _answer(self, frame: MutableMapping[str, Any]) -> None:
        message = None
        try:
            message = _parse(frame)
            for command in self._receive(message):
                if isinstance(command, Reply):
                    self._send(command.message)
                else:
                    await self._take(command)
        except BadInput as error:
            self._fail(error, message)
        while self._unsent_bytes > MAX_UNSENT_BYTES:
            self._sent.clear()
            await self._sent.wait()

    def _receive(self, message: Message) -> list[Command | Reply]:
        if self._settled:
            return self._dialect.receive(message)
        dialect = choose(self._opening, self._websocket.query_params, message)
        commands = dialect.receive(message)
        self._dialect, self._settled = dialect, True  # not by a message that is bad
        return [Configure(dialect.rate), *commands]

    async def _take(self, command: Command) -> None:
        """Pass a command on; audio piece by piece, so that a large message neither
        outruns the limit of the backlog nor keeps other sessions waiting."""
        if not isinstance(command, Audio):
            self._runner.command(command)
            return
        for start in range(0, len(command.samples), PIECE_SAMPLES):
            self._runner.command(Audio(command.samples[start : start + PIECE_SAMPLES]))
            await self._runner.room()

    # ---- session -> client -----------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        for message in self._dialect.encode(event):
            self._send(message)

    def _fail(self, error: VoxtideError, cause: Message | None) -> None:
        self._send(self._dialect.error(error, cause))
        if error.traits.close:
            self._close(error.traits.close)

    def _send(self, message: Message) -> None:
        data = orjson.dumps(message)
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        self._news.set()

    def _close(self, code: int) -> None:
        self._unsent.append(code)
        self._news.set()

    async def _write(self) -> None:
        """Send until the connection ends; an integer is a close code."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client is gone
            while True:
                while self._unsent:
                    item = self._unsent.popleft()
                    if isinstance(item, int):
                        await self._websocket.close(item)
                        return
                    await self._websocket.send_text(item.decode())
                    self._unsent_bytes -= len(item)
                    self._sent.set()
                self._news.clear()
                await self._news.wait()


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
