"""The WebSocket pump over a real socket, with an engine that needs no model."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.fakes.app import PING, App, serving
from tests.fakes.clock import Clock
from tests.fakes.engine import FakeEngine, FakeStream, LostStream, UnplacedStream, say, silence
from tests.fakes.garbage import count, gone, uncollected
from voxtide_server import runner
from voxtide_server.config import Config
from voxtide_server.engine import Samples
from voxtide_server.plugin import VoxtidePlugin
from voxtide_server.session import Session

COMPLETED = "conversation.item.input_audio_transcription.completed"

CONFIG = Config()


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with serving(CONFIG) as app:
        yield app


def append(samples: Samples) -> str:
    pcm = np.rint(samples * 32768).astype("<i2").tobytes()
    return json.dumps(
        {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
    )


COMMIT = json.dumps({"type": "input_audio_buffer.commit"})
UPDATE = json.dumps(
    {
        "type": "session.update",
        "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
    }
)


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 10))
        if message["type"] == kind:
            return message


def test_every_route_has_a_name_as_vllm_prints_it() -> None:
    api = FastAPI()
    VoxtidePlugin().attach_router(api)
    assert {"realtime", "_transcriptions"} <= {r.endpoint.__name__ for r in api.routes}  # type: ignore[attr-defined]


async def test_words_come_over_the_socket(app: App) -> None:
    async with app.connect() as socket:
        assert json.loads(await socket.recv())["type"] == "session.created"
        await socket.send(UPDATE)
        for piece in np.array_split(np.concatenate((say(5), silence(0.5))), 40):
            await socket.send(append(piece))
        await socket.send(COMMIT)
        assert (await until(socket, COMPLETED))["transcript"] == "w5"


async def test_messages_are_not_compressed_even_if_the_client_would_like_it(app: App) -> None:
    """Some kilobytes could be inflated to gigabytes before anybody looks at them."""
    async with app.connect(compression="deflate") as socket:
        assert socket.response.headers.get("Sec-WebSocket-Extensions") is None
        await socket.send(UPDATE)
        for piece in np.array_split(np.concatenate((say(5), silence(0.5))), 4):
            await socket.send(append(piece))
        await socket.send(COMMIT)
        assert (await until(socket, COMPLETED))["transcript"] == "w5"


async def test_vllm_clients_are_understood(app: App) -> None:
    async with app.connect(query="") as socket:
        await socket.send(json.dumps({"type": "session.update", "model": "fake"}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        await socket.send(append(np.concatenate((say(5), silence(0.5)))))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))
        assert (await until(socket, "transcription.done"))["text"] == "w5"


async def test_mistral_clients_are_understood(app: App) -> None:
    async with app.connect("?model=fake", "/v1/audio/transcriptions/realtime") as socket:
        session = (await until(socket, "session.created"))["session"]
        assert session["audio_format"] == {"encoding": "pcm_s16le", "sample_rate": 16000}
        for number in range(2):
            audio = json.loads(append(np.concatenate((say(number), silence(0.5)))))["audio"]
            await socket.send(json.dumps({"type": "input_audio.append", "audio": audio}))
            await socket.send(json.dumps({"type": "input_audio.flush"}))
            assert (await until(socket, "transcription.done"))["text"] == f"w{number}"
        await socket.send(json.dumps({"type": "input_audio.end"}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 10)
        assert socket.close_code == 1000


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "invalid_json"),
        ("[]", "invalid_event"),
        ('"text"', "invalid_event"),
        ("null", "invalid_event"),
        ("7", "invalid_event"),
        ("{}", "missing_field"),
        ('{"type": "nonsense"}', "unknown_event"),
        ('{"type": "input_audio_buffer.append", "audio": "%"}', "invalid_audio"),
        (b'{"type": "input_audio_buffer.commit"}', "binary_frame"),
        (b"\xff\x00", "binary_frame"),
    ],
)
async def test_bad_input_is_answered_and_the_next_message_works(
    app: App, frame: str | bytes, code: str
) -> None:
    async with app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(append(say(1)))
        await socket.send(frame)
        error = (await until(socket, "error"))["error"]
        assert error["code"] == code
        assert error["message"]
        await socket.send(append(silence(0.5)))
        await socket.send(COMMIT)
        assert (await until(socket, COMPLETED))["transcript"] == "w1"


async def test_another_model_in_the_query_is_refused(app: App) -> None:
    async with app.connect("?intent=transcription&model=whisper-1") as socket:
        error = json.loads(await socket.recv())["error"]
        assert (error["code"], error["param"]) == ("model_not_found", "model")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 10)
        assert socket.close_code == 1008


async def test_a_bug_in_the_session_ends_the_turn_instead_of_hanging(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.connect() as socket:
        await socket.send(UPDATE)
        await until(socket, "session.updated")
        monkeypatch.setattr(Session, "token", lambda *_: 1 / 0)
        await socket.send(append(say(1, 1.0)))
        failed = await until(socket, "conversation.item.input_audio_transcription.failed")
        assert failed["error"]["code"] == "internal_error"


async def test_a_dead_engine_is_told_and_closes_with_1011(app: App) -> None:
    app.engine.dead = True
    async with app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(append(say(1, 1.0)))
        failed = await until(socket, "conversation.item.input_audio_transcription.failed")
        assert failed["error"]["code"] == "engine_dead"
        error = (await until(socket, "error"))["error"]
        assert (error["code"], error["acknowledged_s"]) == ("engine_dead", 0.0)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 10)
        assert socket.close_code == 1011


async def test_lost_streams_are_not_noticed(app: App) -> None:
    app.engine.begin_with(LostStream, LostStream)
    async with app.connect() as socket:
        await socket.send(UPDATE)
        for number in range(3):
            await socket.send(append(np.concatenate((say(number), silence(0.4)))))
            await socket.send(COMMIT)
        answers = [await final(socket) for _ in range(3)]
    assert [m.get("transcript") for m in answers] == ["w0", "w1", "w2"]
    assert app.engine.opened == 5


async def test_a_turn_whose_streams_are_all_lost_fails_and_nothing_else(app: App) -> None:
    """Turns that are pipelined behind it are still answered, once each."""
    app.engine.kind = lambda stream: LostStream if stream.split("_")[-2] == "0" else FakeStream
    async with app.connect() as socket:
        await socket.send(UPDATE)
        for number in range(3):
            # Too short for a first token, so that no stream is lost before the commit.
            await socket.send(append(np.concatenate((say(number), silence(0.1)))))
            await socket.send(COMMIT)
        answers = [await final(socket) for _ in range(3)]
    assert [m.get("transcript") for m in answers] == [None, "w1", "w2"]
    assert answers[0]["error"]["code"] == "engine_failed"
    assert "acknowledged_s" not in answers[0]["error"], "the session goes on"


async def final(socket: ClientConnection) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 10))
        if message["type"].endswith(("transcription.completed", "transcription.failed")):
            return message


async def test_an_engine_that_has_no_place_is_told(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(runner, "time", clock)
    monkeypatch.setattr(runner, "WATCH_S", 0.01)
    app.engine.begin_with(UnplacedStream)
    async with app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(append(say(1, 2.0)))
        await opened(app.engine, 1)
        clock.ahead = CONFIG.queue_seconds + 1
        assert (await final(socket))["error"]["code"] == "engine_failed"
        await socket.send(append(np.concatenate((say(2), silence(0.5)))))
        await socket.send(COMMIT)
        assert (await final(socket))["transcript"] == "w2"


async def opened(engine: FakeEngine, streams: int) -> None:
    async with asyncio.timeout(10):
        while engine.opened < streams:
            await asyncio.sleep(0.005)


async def test_a_client_that_does_not_read_and_dies_gives_its_stream_back(app: App) -> None:
    socket = await app.connect()
    await socket.send(UPDATE)
    await socket.send(append(say(1, 2.0)))
    socket.transport.pause_reading()
    nonsense = json.dumps({"type": "x" * 90})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3):
            await flood(socket, nonsense, 100_000)
    socket.transport.abort()
    for _ in range(200):
        if not app.engine.live:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the stream is still open")


async def test_event_ids_are_unique(app: App) -> None:
    async with app.connect() as socket:
        await socket.send("{")
        await socket.send(UPDATE)
        await socket.send(append(np.concatenate((say(1), silence(0.5)))))
        await socket.send(COMMIT)
        ids = []
        while True:
            message = json.loads(await socket.recv())
            ids.append(message["event_id"])
            if message["type"] == COMPLETED:
                break
    assert len(set(ids)) == len(ids)


async def test_one_large_message_is_taken_piece_by_piece(app: App) -> None:
    audio = np.concatenate([np.concatenate((say(n % 900), silence(0.7))) for n in range(180)])
    async with app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(append(audio))
        await socket.send(COMMIT)
        transcript = (await until(socket, COMPLETED))["transcript"]
    assert transcript == " ".join(f"w{n % 900}" for n in range(180))


async def test_a_client_that_leaves_gives_its_streams_back(app: App) -> None:
    for _ in range(20):
        socket = await app.connect()
        await socket.send(UPDATE)
        await socket.send(append(say(1, 1.0)))
        await until(socket, "session.updated")
        socket.transport.abort()
    for _ in range(200):
        if app.engine.opened == 20 and not app.engine.live:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{app.engine.opened} opened, {app.engine.live} live")


@pytest.mark.parametrize("leaves", ["orderly", "abruptly"])
async def test_a_session_does_not_wait_for_the_garbage_collector(app: App, leaves: str) -> None:
    """It looks at what is old every few minutes only, and a session has its audio."""
    with uncollected():
        socket = await app.connect()
        await socket.send(UPDATE)
        await socket.send(append(np.concatenate((say(1), silence(0.5)))))
        await socket.send(COMMIT)
        await until(socket, COMPLETED)
        await socket.send(append(say(1, 1.0)))
        assert count(Session) == 1
        if leaves == "orderly":
            await socket.close()
        else:
            socket.transport.abort()
        assert await gone(Session)


async def test_a_client_that_outruns_the_engine_is_made_to_wait(app: App) -> None:
    app.engine.going.clear()
    second = append(np.concatenate((say(1), silence(0.7))))
    async with app.connect() as socket:
        await socket.send(UPDATE)
        sending = asyncio.create_task(flood(socket, second, 180))
        await asyncio.sleep(1.0)
        assert not sending.done(), "three minutes of audio were taken although nothing was heard"
        app.engine.going.set()
        await asyncio.wait_for(sending, 30)
        await socket.send(COMMIT)
        text = (await until(socket, COMPLETED))["transcript"]
        assert text == " ".join(["w1"] * 180)


async def test_keep_alive_survives_backpressure(app: App) -> None:
    """The pong of a client that waits is behind its audio: nobody may give up on it."""
    app.engine.going.clear()
    second = append(np.concatenate((say(1), silence(0.7))))
    async with app.connect(ping_interval=0.5, ping_timeout=60) as socket:
        await socket.send(UPDATE)
        sending = asyncio.create_task(flood(socket, second, 180))
        await asyncio.sleep(4 * PING)
        app.engine.going.set()
        await asyncio.wait_for(sending, 30)
        await socket.send(COMMIT)
        assert await until(socket, COMPLETED)


async def test_the_kernel_holds_little_of_what_is_not_read(app: App) -> None:
    app.engine.going.clear()
    second = append(silence(1.0))
    async with app.connect() as socket:
        await socket.send(UPDATE)
        sending = asyncio.create_task(flood(socket, second, 120))
        await asyncio.sleep(1.0)
        assert not sending.done(), "two minutes of audio went into buffers"
        app.engine.going.set()
        await asyncio.wait_for(sending, 30)


async def flood(socket: ClientConnection, message: str, times: int) -> None:
    for _ in range(times):
        await socket.send(message)


async def test_pipelined_turns_beyond_the_limit_wait_and_are_all_answered(app: App) -> None:
    turns = 3 * runner.UNFINISHED
    async with app.connect() as socket:
        await socket.send(UPDATE)
        for number in range(turns):
            await socket.send(append(np.concatenate((say(number), silence(0.3)))))
            await socket.send(COMMIT)
        texts = [(await until(socket, COMPLETED))["transcript"] for _ in range(turns)]
        assert texts == [f"w{n}" for n in range(turns)]


async def test_a_browser_subprotocol_is_taken(app: App) -> None:
    async with app.connect(subprotocols=["realtime", "openai-insecure-api-key.x"]) as socket:
        assert socket.subprotocol == "realtime"
