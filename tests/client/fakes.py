"""Hand-written servers on loopback that follow a script, one for each endpoint."""

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

TRANSCRIPTION = "conversation.item.input_audio_transcription"


class Talk:
    """The server's side of one session."""

    def __init__(self, connection: ServerConnection, stalled_until: asyncio.Event) -> None:
        self._connection = connection
        self.headers = connection.request.headers
        self.path = connection.request.path
        self.settings: dict[str, Any] = {}
        self.audio = b""
        self._stalled_until = stalled_until

    async def receive(self) -> dict[str, Any]:
        """The next message; audio is collected in `audio` on the way."""
        message = json.loads(await self._connection.recv())
        if message["type"] in ("input_audio_buffer.append", "input_audio.append"):
            self.audio += base64.b64decode(message["audio"], validate=True)
        return message

    async def send(self, kind: str, **fields: Any) -> None:
        await self._connection.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))

    async def send_text(self, text: str) -> None:
        await self._connection.send(text)

    async def audio_of(self, size: int) -> None:
        """Take messages until so many bytes of audio have come."""
        while len(self.audio) < size:
            await self.receive()

    async def accept(self) -> None:
        """The opening of every session."""
        await self.send("session.created", session={"id": "sess_1"})
        update = await self.receive()
        assert update["type"] == "session.update"
        self.settings = update["session"]
        await self.send("session.updated", session={"id": "sess_1", **self.settings})

    async def commit(self) -> None:
        """Take audio until the client ends the turn."""
        while (await self.receive())["type"] != "input_audio_buffer.commit":
            pass

    async def delta(self, turn: str, text: str, end: float | None = None) -> None:
        extension = {} if end is None else {"end": end}
        await self.send(f"{TRANSCRIPTION}.delta", item_id=turn, delta=text, **extension)

    async def complete(self, turn: str, text: str, **extensions: Any) -> None:
        await self.send("input_audio_buffer.committed", item_id=turn, previous_item_id=None)
        await self.send(f"{TRANSCRIPTION}.completed", item_id=turn, transcript=text, **extensions)

    async def stall(self) -> None:
        """Neither read nor write for the rest of the test."""
        await self._stalled_until.wait()

    async def close(self, code: int, reason: str = "") -> None:
        await self._connection.close(code, reason)

    def cut(self) -> None:
        """Lose the connection without a goodbye; what was sent last may not arrive."""
        self._connection.transport.abort()

    async def cut_later(self) -> None:
        """The same when what was sent has arrived."""
        await asyncio.sleep(0.2)
        self.cut()

    async def closed_with(self) -> int:
        """Wait for the client to close; the code it closed with."""
        with suppress(ConnectionClosed):
            while True:
                await self.receive()
        return self._connection.close_code or 1006


async def accept_in(talk: Talk, dialect: str) -> None:
    """The opening of a session in a dialect."""
    session = {"id": "sess_1", "request_id": "sess_1"}
    await talk.send("session.created", id="sess_1", session=session)
    assert (await talk.receive())["type"] == "session.update"
    if dialect != "vllm":
        await talk.send("session.updated", session=session)


async def tell(
    talk: Talk, dialect: str, *, delta: str | None = None, final: str | None = None
) -> None:
    """New text, or the final transcript of a turn, in a dialect."""
    if dialect == "openai" and delta is not None:
        await talk.delta("item_1", delta)
    elif dialect == "openai":
        await talk.complete("item_1", final or "")
    elif delta is not None:
        kind = "transcription.text.delta" if dialect == "mistral" else "transcription.delta"
        await talk.send(kind, text=delta, delta=delta)
    else:
        await talk.send("transcription.done", text=final, model="nano", language=None)


async def until_commit(talk: Talk) -> None:
    """Take messages until the turn ends, in any dialect."""
    while True:
        message = await talk.receive()
        if message["type"] == "input_audio.flush" or message.get("final"):
            return
        if message["type"] == "input_audio_buffer.commit" and "final" not in message:
            return


Script = Callable[[Talk], Awaitable[None]]


@dataclass
class FakeServer:
    """Where the server is, and what it has seen."""

    base_url: str
    talks: list[Talk] = field(default_factory=list)
    close_codes: list[int] = field(default_factory=list)
    forms: list["Form"] = field(default_factory=list)
    session_began: asyncio.Event = field(default_factory=asyncio.Event)
    session_ended: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def realtime(
    script: Script,
    *,
    refuse: tuple[int, str] | Callable[[], tuple[int, str] | None] | None = None,
    retry_after: str | None = None,
) -> AsyncIterator[FakeServer]:
    """A WebSocket server: each session follows `script`, then waits for the client to close.

    `refuse` answers the handshake with a status and a body instead, or says for each whether to.
    """
    fake = FakeServer("")
    over = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        talk = Talk(connection, over)
        fake.talks.append(talk)
        fake.session_began.set()
        with suppress(ConnectionClosed):
            await script(talk)
        fake.close_codes.append(await talk.closed_with())
        fake.session_ended.set()

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        refusal = refuse() if callable(refuse) else refuse
        if refusal is None:
            return None
        response = connection.respond(HTTPStatus(refusal[0]), refusal[1])
        if retry_after is not None:
            response.headers["Retry-After"] = retry_after
        return response

    # Small buffers, so that a server that does not read is soon felt.
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    async with serve(handle, sock=listener, process_request=answer, max_queue=1, close_timeout=0.5):
        fake.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        try:
            yield fake
        finally:
            over.set()


@dataclass
class Form:
    """A multipart form as it came."""

    path: str
    authorization: str | None
    fields: list[tuple[str, str]]
    filename: str
    content: bytes


# Status, body and perhaps more headers; None hangs up, STALL waits until the client does.
Answer = tuple[int, str] | tuple[int, str, dict[str, str]] | None
STALL = 0, ""


@asynccontextmanager
async def files(answer: Callable[[Form], Answer], port: int = 0) -> AsyncIterator[FakeServer]:
    """An HTTP server: `answer` says what comes back for a form."""
    fake = FakeServer("")
    handlers: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        form = _form(*await _request(reader))
        fake.forms.append(form)
        fake.session_began.set()
        reply = answer(form)
        if reply == STALL:
            await reader.read()
        elif reply is not None:
            status, body, *more = reply
            headers = {"Content-Length": len(body.encode()), "Connection": "close"}
            for extra in more:
                headers |= extra
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n{body}".encode())
            await writer.drain()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        # The client may hang up at any time.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        fake.session_ended.set()

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    async with server:
        fake.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield fake
    await asyncio.gather(*handlers)


async def _request(reader: asyncio.StreamReader) -> tuple[str, EmailMessage, bytes]:
    line, _, head = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
    headers = BytesParser(EmailMessage, policy=HTTP).parsebytes(head)
    body = await _body(reader, headers["content-length"])
    return line.split()[1].decode(), headers, body


async def _body(reader: asyncio.StreamReader, length: str | None) -> bytes:
    """A body of known length, or in chunks (RFC 9112, section 7.1)."""
    if length is not None:
        return await reader.readexactly(int(length))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def _form(path: str, headers: EmailMessage, body: bytes) -> Form:
    content_type = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(content_type + body)
    named = [
        (str(part.get_param("name", header="content-disposition")), part)
        for part in message.iter_parts()
    ]
    (upload,) = (part for name, part in named if name == "file")
    return Form(
        path,
        headers["authorization"],
        [(name, part.get_content().strip()) for name, part in named if name != "file"],
        upload.get_filename(),
        upload.get_payload(decode=True),
    )


@contextmanager
def in_thread(server: AbstractAsyncContextManager[FakeServer]) -> Iterator[FakeServer]:
    """Run a fake beside code that blocks."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        fake = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(20)
        try:
            yield fake
        finally:
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait in a thread that blocks."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
