"""What the log says of requests, and what it does not."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from tests.deploy.test_transport import append
from tests.fakes.app import App, serving
from tests.fakes.engine import say, silence
from voxtide_server import logs
from voxtide_server.config import Config


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with serving(Config(key=SecretStr("the-key"))) as app:
        yield app


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "vllm.voxtide")
    return caplog


BEARER = {"Authorization": "Bearer the-key"}


async def test_a_session_leaves_one_line_with_its_id_and_no_word(
    app: App, log: pytest.LogCaptureFixture
) -> None:
    async with app.connect("", additional_headers=BEARER) as socket:
        session = json.loads(await socket.recv())["session"]["id"]
        await socket.send(json.dumps({"type": "session.update", "model": "fake"}))
        await socket.send(append(np.concatenate((say(5), silence(0.5)))))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))
        while json.loads(await socket.recv())["type"] != "transcription.done":
            pass
    (line,) = await lines_of(log, session)
    assert line.getMessage().startswith(f"{session}: session in vllm's dialect gone after ")
    assert line.getMessage().endswith(" s with 0.8 s of audio, key key")
    assert getattr(line, logs.FIELD) == session
    assert "w5" not in log.text


async def test_an_error_names_the_session_that_the_log_knows(
    app: App, log: pytest.LogCaptureFixture
) -> None:
    async with app.connect(additional_headers=BEARER) as socket:
        session = json.loads(await socket.recv())["session"]["id"]
        await socket.send("{")
        assert json.loads(await socket.recv())["error"]["request_id"] == session
    assert await lines_of(log, session)


async def test_an_answer_over_http_has_the_id_in_header_error_and_log(
    app: App, log: pytest.LogCaptureFixture
) -> None:
    async with httpx.AsyncClient(base_url=f"http://{app.url}", headers=BEARER) as client:
        answer = await client.post("/v1/audio/transcriptions", data={"model": "fake"})
    assert answer.status_code == 400
    name = answer.headers["x-request-id"]
    assert answer.json()["error"]["request_id"] == name
    (line,) = await lines_of(log, name)
    assert f"{name}: POST /v1/audio/transcriptions 400 " in line.getMessage()


async def test_who_is_refused_leaves_a_line_and_probes_leave_none(
    app: App, log: pytest.LogCaptureFixture
) -> None:
    async with httpx.AsyncClient(base_url=f"http://{app.url}") as client:
        refused = await client.get("/v1/models")
        await client.get("/health/ready")
        await client.get("/metrics")
    assert refused.status_code == 401
    assert [getattr(line, logs.FIELD) for line in log.records] == [refused.headers["x-request-id"]]
    with pytest.raises(Exception, match="401"):
        await app.connect()
    assert "/v1/realtime refused: invalid_api_key" in log.records[-1].getMessage()
    assert {line.levelname for line in log.records} == {"INFO"}


async def test_a_path_cannot_write_lines_of_its_own(
    app: App, log: pytest.LogCaptureFixture
) -> None:
    async with httpx.AsyncClient(base_url=f"http://{app.url}") as client:
        await client.get("/x%0Asess_0:%20session%1b[31m" + "y" * 1000)
    (line,) = [line for line in log.records if line.name == "vllm.voxtide"]
    assert "/x%0Asess_0%3A%20session%1B" in line.getMessage()
    assert len(line.getMessage()) < 300


async def test_a_mistake_of_the_server_is_an_error_with_an_id(
    app: App, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(*_: object) -> None:
        raise ZeroDivisionError("secret of the server")

    monkeypatch.setattr("voxtide_server.transcriptions.serve", mistaken)
    async with httpx.AsyncClient(base_url=f"http://{app.url}", headers=BEARER) as client:
        answer = await client.post("/v1/audio/transcriptions")
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert (error["code"], error["request_id"]) == (
        "internal_error",
        answer.headers["x-request-id"],
    )
    assert "secret" not in answer.text
    lines = await lines_of(log, error["request_id"])
    assert [line.exc_info is not None for line in lines] == [True, False]


async def lines_of(log: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    """The lines with an id, once there is one."""
    for _ in range(100):
        if found := [line for line in log.records if getattr(line, logs.FIELD, None) == name]:
            return found
        await asyncio.sleep(0.02)
    return []
