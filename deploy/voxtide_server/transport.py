"""A WebSocket connection: the only place where messages meet the network.

One task reads, one writes. The reader stops reading while the session has as
much audio waiting as it may, or the client does not take its messages, so that
backpressure reaches the client through TCP and memory stays bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import MutableMapping
from contextlib import ExitStack
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from . import logs, metrics
from .deployment import Deployment
from .dialects import Dialect, Message, Reply, choose, greeting, opening
from .errors import BadInput, InternalError, Refused, VoxtideError
from .events import (
    Audio,
    Command,
    Completed,
    Configure,
    Draining,
    End,
    Ended,
    Event,
    Failed,
)
from .gate import CALLER, refuse, route_path
from .keys import ANYBODY, Caller
from .logs import logger
from .runner import Runner, live
from .service import Service, check_model
from .session import Session
from .watch import Progress

_NORMAL = 1000
_GOING_AWAY = 1001
_SERVICE_RESTART = 1012
_POLICY_VIOLATION = 1008
_OUTCOMES = {_NORMAL: "ended", _GOING_AWAY: "limit", _SERVICE_RESTART: "drained"}

MAX_UNSENT_BYTES = 1 << 20
"""Bytes of messages that may wait for a client before it is not listened to any more."""
PIECE_SAMPLES = 48_000
"""Samples of a large message that are taken at a time: 1 s at the highest rate."""


async def serve(websocket: WebSocket, deployment: Deployment) -> None:
    """Carry one connection to its end, or refuse it where there is no room.

    Args:
        websocket: not yet accepted.
        deployment: that serves it.
    """
    caller: Caller = websocket.scope.get(CALLER) or Caller(ANYBODY)
    with ExitStack() as stack:
        try:
            deployment.check_open()
            stack.enter_context(deployment.sessions.admitted(caller.name))
        except Refused as error:
            await refuse(websocket.scope, websocket.receive, websocket.send, error)
            return
        await websocket.accept(subprotocol=_subprotocol(websocket))
        connection = _Connection(websocket, deployment, caller)
        stack.enter_context(deployment.drain.told(connection.drain))
        await connection.run()


def _subprotocol(websocket: WebSocket) -> str | None:
    """Browsers of the OpenAI SDK offer "realtime" and give up unless it is taken."""
    offered = websocket.scope.get("subprotocols") or []
    return "realtime" if "realtime" in offered else None


class _Connection:
    def __init__(self, websocket: WebSocket, deployment: Deployment, caller: Caller) -> None:
        session_id = logs.request_id()
        engine, config = deployment.engine, deployment.config
        self._websocket = websocket
        self._models = engine.models
        self._config = config
        longest = config.session_seconds
        expires_at = None if longest is None else int(time.time() + longest)
        service = Service(session_id, engine.models, engine.layout.delay_ms, expires_at)
        beta = "realtime=v1" in websocket.headers.get("openai-beta", "")
        self._opening = opening(route_path(websocket.scope), service, beta)
        self._dialect: Dialect = self._opening
        self._settled = False
        self._end_code = _NORMAL
        self._draining = False
        self._name = "unsettled"
        self._outcome = "gone"
        self._received = 0
        self._bytes_sent = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._unsent: deque[bytes | int] = deque()
        self._unsent_bytes = 0
        self._news = asyncio.Event()
        self._sent = asyncio.Event()
        self._runner = Runner(
            Session(session_id, engine.layout, engine.vocabulary),
            engine,
            self._on_event,
            lambda error: self._fail(error, None),
            live(config),
            Progress("live", caller.name, engine.layout),
        )
        self._first = caller.first
        self._key = caller.name or "-"
        self._began = time.monotonic()

    def _begin_with(self, first: Message) -> None:
        """Set the session up as the secret says that it was opened with.

        Raises:
            BadInput: that is for another protocol, or another server.
        """
        for command in self._opening.receive(first):
            if not isinstance(command, Reply):
                self._runner.command(command)
        self._settle(self._opening)

    def _settle(self, dialect: Dialect) -> None:
        self._dialect, self._settled = dialect, True
        metrics.SESSIONS.labels(self._name).dec()
        self._name = dialect.name
        metrics.SESSIONS.labels(self._name).inc()

    async def run(self) -> None:
        """Read and write until either ends: a reader that waits for room would not
        notice that the client is gone."""
        metrics.SESSIONS.labels(self._name).inc()
        tasks = reading, writing = (
            asyncio.create_task(self._read()),
            asyncio.create_task(self._write()),
        )
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=self._config.session_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                reading.cancel()
                self._leave_to_another(_GOING_AWAY)
                await asyncio.wait([writing])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._deadline is not None:
                self._deadline.cancel()
            await self._runner.close()
            metrics.SESSIONS.labels(self._name).dec()
            metrics.ENDED.labels(self._name, self._outcome).inc()
            metrics.BYTES.labels("received").inc(self._received)
            metrics.BYTES.labels("sent").inc(self._bytes_sent)
            self._log()

    def _log(self) -> None:
        """The one line that each session leaves."""
        text = "session in %s's dialect %s after %.1f s with %.1f s of audio, key %s"
        seconds, audio_s = time.monotonic() - self._began, self._runner.audio_s
        logger.info(text, self._name, self._outcome, seconds, audio_s, self._key)

    # ---- client -> session -----------------------------------------------------------

    async def _read(self) -> None:
        """Take messages until the client leaves or is told why it must."""
        try:
            check_model(self._websocket.query_params.get("model"), self._models, "model")
            if self._first is not None:
                self._begin_with(self._first)
            self._send(greeting(self._opening, time.time()))
            while (frame := await self._next())["type"] != "websocket.disconnect":
                await self._answer(frame)
            return
        except TimeoutError:
            self._leave_to_another(_GOING_AWAY)
        except BadInput as error:  # in the address, or in the secret
            self._fail(error, None)
            self._close(_POLICY_VIOLATION)
        except WebSocketDisconnect:
            return
        except Exception:
            logger.exception("internal error")
            self._fail(InternalError(), None)
        await asyncio.Event().wait()  # until the writer has told it

    async def _next(self) -> MutableMapping[str, Any]:
        """The next message; raises TimeoutError where none comes for too long."""
        if self._config.quiet_seconds is None:
            return await self._websocket.receive()
        async with asyncio.timeout(self._config.quiet_seconds):
            return await self._websocket.receive()

    async def _answer(self, frame: MutableMapping[str, Any]) -> None:
        message = None
        self._received += len(frame.get("text") or "")
        try:
            message = _parse(frame, self._config.max_message_bytes)
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
        self._settle(dialect)  # not by a message that is bad
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
        match event:
            case Ended():
                self._close(self._end_code)
            case Completed() | Failed() if self._draining:
                asyncio.get_running_loop().call_soon(self._end_between_turns)

    def drain(self, seconds: float) -> None:
        """The server is to stop: go after this turn, or when the time is up."""
        self._draining = True
        self._on_event(Draining(seconds))
        self._end_between_turns()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(seconds, self._leave_to_another, _SERVICE_RESTART)

    def _end_between_turns(self) -> None:
        # The engine may be behind: nothing heard so far does not mean that nothing was said.
        if not self._runner.in_turn:
            self._leave_to_another(_SERVICE_RESTART)

    def _leave_to_another(self, code: int) -> None:
        """Close now where the client can go on in another session, or else end the turn: one
        that ends here may end in the middle of a word."""
        acknowledged = self._runner.goes_on_elsewhere
        if acknowledged is None:
            self._end(code)
        else:
            self._on_event(acknowledged)
            self._close(code)

    def _end(self, code: int) -> None:
        """Finish what has been said, then close."""
        self._end_code = code
        self._runner.command(End())

    def _fail(self, error: VoxtideError, cause: Message | None) -> None:
        metrics.ERRORS.labels(error.code).inc()
        self._send(self._dialect.error(error, cause))
        if error.traits.close:
            self._close(error.traits.close)

    def _send(self, message: Message) -> None:
        data = orjson.dumps(message)
        self._bytes_sent += len(data)
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        self._news.set()

    def _close(self, code: int) -> None:
        self._outcome = _OUTCOMES.get(code, "failed")
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


def _parse(frame: MutableMapping[str, Any], max_bytes: int) -> Message:
    """The JSON object in a frame.

    Raises:
        BadInput: the frame is binary, too large, no JSON, or no object.
    """
    text = frame.get("text")
    if not isinstance(text, str):
        raise BadInput("binary_frame", "Messages are JSON in text frames, not binary ones.")
    if len(text) > max_bytes:  # of what is sent nearly all is ASCII
        raise BadInput("message_too_large", f"A message may have {max_bytes} bytes at the most.")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput("invalid_json", f"The message is not JSON: {error}.") from None
    if not isinstance(message, dict):
        raise BadInput("invalid_event", "The message must be a JSON object with a 'type'.")
    return message
