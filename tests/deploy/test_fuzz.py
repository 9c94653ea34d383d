"""Clients that send anything, in any order, or nothing: nobody else notices, nothing stays."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from websockets.sync.client import connect as sync_connect

from tests.deploy.test_gate import MISTRAL, heard
from tests.deploy.test_transport import COMMIT, COMPLETED, UPDATE, append, until
from tests.fakes.app import App, serving, serving_in_a_thread
from tests.fakes.engine import say, silence
from tests.fakes.fuzz import SHAKE, Frame, exchange, frame, frames, given_as
from voxtide_server import connections
from voxtide_server.config import Config

FUZZED = settings(derandomize=True, max_examples=150, database=None)
GAUGES = ("voxtide_sessions", "voxtide_requests", "voxtide_backlog_seconds")


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    """One server for all that hypothesis sends; nothing may be left in it at its end."""
    with serving_in_a_thread(Config()) as app:
        yield app


@pytest.fixture
async def app(caplog: pytest.LogCaptureFixture) -> AsyncIterator[App]:
    """A server that must be as it was when a test has ended, and serve the next client."""
    async with serving(Config()) as app:
        before = asyncio.all_tasks() - {asyncio.current_task()}
        yield app
        await nothing_left(app)
        assert asyncio.all_tasks() - {asyncio.current_task()} == before
        async with app.connect() as normal:
            assert await heard(normal) == "w1"
    ours = [r for r in caplog.records if r.name in ("vllm.voxtide", "asyncio")]
    assert not [r for r in ours if r.exc_info or r.levelno >= logging.ERROR]


async def nothing_left(app: App) -> None:
    """Wait until every trace of the clients is gone."""

    def left() -> dict[str, float]:
        gauges = {
            sample.name: sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
            if family.name in GAUGES and sample.value
        }
        inside = app.deployment.sessions.inside, app.deployment.requests.inside, app.engine.live
        return gauges | {str(number): count for number, count in enumerate(inside) if count}

    for _ in range(1_000):
        if not left():
            return
        await asyncio.sleep(0.01)
    pytest.fail(str(left()))


# ---- messages ----------------------------------------------------------------------


def url(app: App, path: str) -> str:
    return f"ws://{app.url}{path}"


WORDS = np.concatenate((silence(1.0), say(7), silence(0.5), say(8), silence(0.5)))
HEARD = "w7 w8"


@FUZZED
@given(frames("openai"))
def test_openais_dialect_survives_anything(shared: App, sent: list[Frame]) -> None:
    form = {"type": "audio/pcm", "rate": 16_000}
    calm = {"audio": {"input": {"format": form, "turn_detection": None}}}
    last = [
        json.dumps({"type": "session.update", "session": calm}),
        json.dumps({"type": "input_audio_buffer.clear"}),
        append(WORDS),
        COMMIT,
    ]
    with sync_connect(url(shared, "/v1/realtime?intent=transcription")) as client:
        messages = exchange(client, [*sent, *last], lambda m: m.get("transcript") == HEARD)
    kinds = [given_as(frame).get("type") for frame in (*sent, *last)]
    committed = [m["item_id"] for m in messages if m["type"] == "input_audio_buffer.committed"]
    final = [m["item_id"] for m in messages if m["type"].endswith(("n.completed", "n.failed"))]
    assert final == committed, "each once, and in its order"
    assert len(set(final)) == len(final) >= kinds.count("input_audio_buffer.commit")


@FUZZED
@given(frames("mistral"))
def test_mistrals_dialect_survives_anything(shared: App, sent: list[Frame]) -> None:
    last = [json.dumps({"type": f"input_audio.{kind}"}) for kind in ("flush", "end")]
    with sync_connect(url(shared, f"{MISTRAL}?model=fake")) as client:
        messages = exchange(client, [*sent, *last], lambda _: False)
        assert client.close_code == 1000
    kinds = [given_as(frame).get("type") for frame in (*sent, *last)]
    done = [m["type"] for m in messages].count("transcription.done")
    detected = any(m.get("session", {}).get("turn_detection") for m in messages)
    flushed = kinds.count("input_audio.flush")
    assert done == flushed or (detected and done > flushed)


@FUZZED
@given(frames("vllm"))
def test_vllms_dialect_survives_anything(shared: App, sent: list[Frame]) -> None:
    first = json.dumps({"type": "session.update", "model": "fake"})
    commit = {"type": "input_audio_buffer.commit", "final": True}
    everything = [first, *sent, append(WORDS), json.dumps(commit)]
    with sync_connect(url(shared, "/v1/realtime")) as client:
        messages = exchange(client, everything, lambda m: str(m.get("text", "")).endswith(HEARD))
    asked = [m for m in map(given_as, everything) if m.get("type") == commit["type"]]
    finals = [m for m in asked if m.get("final") is True]
    assert [m["type"] for m in messages].count("transcription.done") == len(finals)


# ---- bytes -------------------------------------------------------------------------

REQUEST = b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n"


def address(app: App) -> tuple[str, int]:
    host, port = app.url.split(":")
    return host, int(port)


def spliced(whole: bytes) -> st.SearchStrategy[bytes]:
    """The whole with anything in the place of a part of it."""
    ends = st.tuples(st.integers(0, len(whole)), st.integers(0, 9))
    return st.builds(
        lambda at, junk: whole[: at[0]] + junk + whole[at[0] + at[1] :],
        ends,
        st.binary(max_size=30),
    )


NO_REQUESTS = st.binary(max_size=200) | spliced(SHAKE) | spliced(REQUEST)
NO_FRAMES = st.binary(max_size=200) | spliced(
    frame(1, UPDATE.encode()) + frame(9, b"x") + frame(1, COMMIT.encode()) + frame(8)
)


def answer_to(data: list[bytes], app: App) -> bytes:
    """What is said, up to the end, to some bytes and, after an answer, some more."""
    answer = b""
    with socket.create_connection(address(app), 20) as raw, suppress(ConnectionError):
        for piece in data:
            raw.sendall(piece)
            if piece == SHAKE:
                answer += raw.recv(65_536)
        with suppress(OSError):  # it is closed already
            raw.shutdown(socket.SHUT_WR)
        while more := raw.recv(65_536):
            answer += more
    return answer


@FUZZED
@given(st.lists(NO_REQUESTS, max_size=2) | NO_FRAMES.map(lambda junk: [SHAKE, junk]))
def test_bytes_that_are_nothing_are_answered_by_nothing_worse_than_an_error(
    shared: App, data: list[bytes]
) -> None:
    answer = answer_to(data, shared)
    assert b"Traceback" not in answer
    assert b"internal_error" not in answer
    if answer.startswith(b"HTTP/1.1 5"):  # the package websockets over a key that is not ASCII
        assert b"Failed to open a WebSocket connection" in answer


@pytest.mark.parametrize(
    ("data", "closed"),
    [
        (frame(3), 1002),
        (frame(1, b"{}", first=0xC0), 1002),
        (frame(1, b"{}", mask=0), 1002),
        (frame(9, b"x" * 126), 1002),
        (frame(9, b"x", first=0), 1002),
        (frame(0, b"x"), 1002),
        (frame(1, b"x", first=0) + frame(1, b"x"), 1002),
        (b"\x81\xff" + b"\xff" * 8, 1009),
        (b"\x81\xff" + struct.pack("!Q", 1 << 40), 1009),
        (frame(1, b"\xff\xfe"), 1007),
        (frame(8, b"\x00"), 1002),
        (frame(8, b"\x03\xed"), 1002),
        (frame(8, b"\x03\xe8\xff"), 1007),
    ],
)
async def test_a_frame_that_is_none_closes_the_connection(
    app: App, data: bytes, closed: int
) -> None:
    reader, writer = await shaken(app)
    writer.write(frame(1, UPDATE.encode()) + frame(1, append(say(1)).encode()) + data)
    *_, (opcode, payload) = told(await asyncio.wait_for(reader.read(), 20))
    assert (opcode, payload[:2]) == (8, struct.pack("!H", closed))
    writer.close()


def told(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The server's frames: opcode and payload."""
    while data:
        short = data[1]
        size = {126: 2, 127: 8}.get(short, 0)
        length = int.from_bytes(data[2 : 2 + size], "big") if size else short
        yield data[0] & 15, data[2 + size : 2 + size + length]
        data = data[2 + size + length :]


async def shaken(
    app: App, receive_buffer: int | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket, as bytes."""
    raw = socket.socket()
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, address(app))
    reader, writer = await asyncio.open_connection(sock=raw)
    writer.write(SHAKE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return reader, writer


# ---- clients that stand still, or leave ----------------------------------------------


async def test_requests_that_do_not_come_keep_nobody_out(app: App) -> None:
    """Halves of a handshake, byte by byte, and nothing after it."""
    writers = []
    for _ in range(50):
        _, writer = await asyncio.open_connection(*address(app))
        writers.append(writer)
    for at in range(len(SHAKE) - 1):
        for writer in writers:
            writer.write(SHAKE[at : at + 1])
        await asyncio.sleep(0)
    async with app.connect() as normal:
        assert await heard(normal) == "w1"
        assert app.deployment.sessions.inside == 1
    for writer in writers:
        writer.transport.abort()


async def test_who_comes_and_leaves_at_any_moment_is_forgotten(app: App) -> None:
    chance = random.Random(7)
    message = frame(1, UPDATE.encode()) + frame(1, append(say(3, 1.0)).encode())
    whole = message * 2 + frame(1, COMMIT.encode())
    moments = [
        *((chance.randrange(len(SHAKE)), 0) for _ in range(50)),  # in the handshake
        *[(len(SHAKE), 0)] * 50,
        *((len(SHAKE), chance.randrange(len(whole))) for _ in range(50)),  # in the audio
        *[(len(SHAKE), len(whole))] * 50,
    ]

    come: list[int] = []

    async def come_and_leave(shake: int, rest: int) -> None:
        reader, writer = await asyncio.open_connection(*address(app))
        raw = writer.get_extra_info("socket")
        if chance.random() < 0.5:  # with a reset instead of a farewell
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.write(SHAKE[:shake])
        if rest:
            await reader.readuntil(b"\r\n\r\n")
            come.append(rest)
        writer.write(whole[:rest])
        await writer.drain()
        await asyncio.sleep(chance.random() / 50)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    chance.shuffle(moments)
    async with app.connect() as normal:
        await normal.send(UPDATE)
        for start in range(0, len(moments), 10):
            await asyncio.gather(*(come_and_leave(*m) for m in moments[start : start + 10]))
            await normal.send(append(np.concatenate((say(start), silence(0.4)))))
        await normal.send(COMMIT)
        words = [f"w{start}" for start in range(0, len(moments), 10)]
        assert (await until(normal, COMPLETED))["transcript"] == " ".join(words)
    assert len(come) > 50, "hardly anybody came as far as the audio"


async def test_a_client_that_stops_reading_is_gone_after_a_while(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "GONE_MS", 500)
    app.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    _, writer = await shaken(app, receive_buffer=4_096)
    writer.transport.pause_reading()
    writer.write(frame(1, UPDATE.encode()))
    with suppress(ConnectionError):
        async with asyncio.timeout(60):
            while not writer.transport.is_closing():  # the server says more than it is told
                writer.write(frame(1, b"{" + b"[" * 900) * 100)
                await writer.drain()
    writer.transport.abort()


@pytest.mark.parametrize(
    "flood",
    [frame(9, b"x" * 125) * 1_000, frame(0, first=0) * 20_000],
    ids=["pings", "fragments"],
)
async def test_frames_that_are_no_messages_do_not_fill_the_memory(app: App, flood: bytes) -> None:
    _, writer = await shaken(app)
    writer.transport.pause_reading()
    writer.write(frame(1, UPDATE.encode()) + frame(1, b"{", first=0))
    for _ in range((100 << 20) // len(flood)):
        writer.write(flood)
        try:
            await writer.drain()
        except ConnectionError:
            return
    pytest.fail("all of it was taken")


async def test_many_fragments_are_one_message(app: App) -> None:
    """What a slow writer sends is taken, up to a limit that nobody meets by intention."""
    reader, writer = await shaken(app)
    text = UPDATE.encode()
    writer.write(frame(1, first=0) + b"".join(frame(0, bytes([c]), first=0) for c in text))
    writer.write(frame(0, first=0) * 10_000 + frame(0) + frame(9, b"ping"))
    said = b""
    while not (b"ping" in said and b"session.updated" in said):
        said += await asyncio.wait_for(reader.read(65_536), 20)
    writer.close()
