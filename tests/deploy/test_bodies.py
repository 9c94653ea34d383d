"""Requests that never end, or are made to fill the memory."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
from contextlib import suppress
from typing import Any

import httpx
import pytest
import soundfile

from tests.deploy.test_transcriptions import AUDIO, URL, speech, until
from tests.fakes.app import App, serving
from voxtide_server import bodies, connections
from voxtide_server.config import Config

HURRIED = Config(max_requests=1).model_copy(update={"upload_idle_seconds": 0.3})
SECRETS = "/v1/realtime/client_secrets"
BOUNDARY = "cut-here"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    of_file = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


FORM = part("file", AUDIO, "a.wav") + f"--{BOUNDARY}--\r\n".encode()


def head(path: str, length: int) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: a",
        f"Content-Length: {length}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
    )
    return "\r\n".join((*lines, "", "")).encode()


async def connected(app: App) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = app.url.split(":")
    return await asyncio.open_connection(host, int(port))


async def answered(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Status and code of what a server says before it closes the connection."""
    told = b""
    with suppress(ConnectionResetError):  # what was sent after that is answered so
        while data := await asyncio.wait_for(reader.read(1 << 16), 20):
            told += data
    first, _, body = told.decode().partition("\r\n\r\n")
    return int(first.split(" ")[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize("path", [URL, SECRETS])
@pytest.mark.parametrize("trickles", [False, True], ids=["nothing comes", "a byte now and then"])
async def test_a_request_that_does_not_come_is_given_up(path: str, trickles: bool) -> None:
    async with serving(HURRIED) as app:
        reader, writer = await connected(app)
        writer.write(head(path, len(FORM)) + FORM[:100])
        answer = asyncio.create_task(answered(reader))
        sent = 100
        while trickles and not answer.done():
            writer.write(FORM[sent : sent + 1])
            sent += 1
            await asyncio.sleep(0.02)
        assert await answer == (408, "upload_stalled")
        assert app.deployment.requests.inside == 0
        writer.close()


async def test_an_upload_that_comes_steadily_may_take_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "STEP", 20_000)
    async with serving(Config().model_copy(update={"upload_idle_seconds": 1.0})) as app:
        reader, writer = await connected(app)
        form = part("prompt", b" " * 20_000) * 30 + FORM
        writer.write(head(URL, len(form)).replace(b"Host: a", b"Host: a\r\nConnection: close"))
        for start in range(0, len(form), 20_000):
            writer.write(form[start : start + 20_000])
            await asyncio.sleep(0.05)
        told = await asyncio.wait_for(reader.read(), 20)
        assert json.loads(told.rpartition(b"\r\n\r\n")[2])["text"] == "w1 w2"
        writer.close()


async def post(app: App, form: bytes, **more: Any) -> tuple[int, str, str]:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **more}
    async with httpx.AsyncClient(base_url=f"http://{app.url}", timeout=60) as client:
        answer = await client.post(URL, content=form, headers=headers)
    error = answer.json().get("error", {})
    return answer.status_code, error.get("code"), error.get("param")


async def test_a_form_has_no_more_in_memory_than_it_may(caplog: pytest.LogCaptureFixture) -> None:
    megabyte = b"x" * (1 << 20)
    refused = (400, "invalid_value", None)
    async with serving(Config()) as app:
        assert await post(app, part("prompt", megabyte) * 3 + FORM) == (200, None, None)
        assert await post(app, part("prompt", megabyte) * 5 + FORM) == refused
        assert await post(app, part("prompt", megabyte * 5) + FORM) == refused
        assert await post(app, part("prompt", b"") * 10_000 + FORM) == refused
        assert await post(app, part("x", megabyte, "x") * 4 + FORM) == refused
        flat = {"Content-Type": "application/x-www-form-urlencoded"}
        too_large = (413, "upload_too_large", None)
        assert await post(app, (b"&a=" + megabyte[:-2]) * 5, **flat) == too_large
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("charset", ["undefined", "idna", "utf-7", "unicode_escape", "zlib", "é"])
async def test_no_character_set_is_too_strange(
    charset: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind = f"multipart/form-data; boundary={BOUNDARY}; charset={charset}".encode("latin-1")
    surrogate = b"+2AA-\\ud800"  # in UTF-7, and as an escape
    told_again = part("response_format", b"verbose_json") + part("language", surrogate)
    async with serving(Config()) as app:
        for form in (told_again + FORM, part("model", surrogate) + FORM):
            status, code, _ = await post(app, form, **{"Content-Type": kind})
            assert (status, code) in {
                (200, None),
                (400, "invalid_value"),
                (404, "model_not_found"),
            }
    assert "Traceback" not in caplog.text


async def test_a_language_is_a_short_text() -> None:
    refused = (400, "invalid_value", "language")
    async with serving(Config()) as app:
        assert await post(app, part("language", b"x" * 201) + FORM) == refused
        assert await post(app, part("language", b"en", "en.txt") + FORM) == refused
        assert await post(app, part("language", b"") + FORM) == (200, None, None)


@pytest.mark.parametrize("path", [URL, SECRETS])
async def test_a_client_that_leaves_while_it_sends_is_no_mistake_of_the_server(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(Config(max_requests=1)) as app:
        for _ in range(5):
            _, writer = await connected(app)
            writer.write(head(path, len(FORM)) + FORM[:2_000])
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.transport.abort()
        async with asyncio.timeout(10):
            while app.deployment.requests.inside:
                await asyncio.sleep(0.01)
        assert await post(app, FORM) == (200, None, None)
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR], caplog.text


async def test_a_client_that_leaves_a_response_gives_its_streams_back() -> None:
    form = part("stream", b"true") + FORM
    async with serving(Config(max_requests=1)) as app:
        app.engine.going.clear()
        _, writer = await connected(app)
        writer.write(head(URL, len(form)) + form)
        await until(app.engine, 1)
        await asyncio.sleep(0.1)  # it waits for the engine
        writer.transport.abort()
        async with asyncio.timeout(10):
            while app.deployment.requests.inside:
                await asyncio.sleep(0.01)
        assert app.engine.live == 0


async def test_a_client_that_takes_nothing_of_a_response_is_gone_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "GONE_MS", 500)
    file = io.BytesIO()
    soundfile.write(file, speech(2_500), 16_000, format="FLAC", subtype="PCM_16")
    form = part("stream", b"true") + part("file", file.getvalue(), "a.flac")
    form += f"--{BOUNDARY}--\r\n".encode()
    async with serving(Config(max_requests=1)) as app:
        app.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        host, port = app.url.split(":")
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
        _, writer = await asyncio.open_connection(sock=narrow)
        writer.transport.pause_reading()
        writer.write(head(URL, len(form)) + form)
        await until(app.engine, 1)
        async with asyncio.timeout(60):
            while app.deployment.requests.inside:
                await asyncio.sleep(0.01)
        assert app.engine.live == 0
        writer.transport.abort()
