"""The file endpoint over real HTTP, with an engine that needs no model."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from fastapi import FastAPI

from tests.fakes.engine import FakeEngine, say, silence
from voxtide_server import transcriptions
from voxtide_server.engine import Samples
from voxtide_server.plugin import VoxtidePlugin

URL = "/v1/audio/transcriptions"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def client(engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    api = FastAPI()
    VoxtidePlugin().attach_router(api)
    api.state.voxtide_engine = engine
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    assert engine.live == 0, "every stream was given back"


def wav(*pieces: Samples) -> bytes:
    sink = io.BytesIO()
    soundfile.write(sink, np.concatenate(pieces), 16_000, format="WAV", subtype="FLOAT")
    return sink.getvalue()


AUDIO = wav(say(1), silence(1.5), say(2), silence(0.3))


async def post(client: httpx.AsyncClient, content: bytes = AUDIO, **fields: Any) -> httpx.Response:
    return await client.post(URL, files={"file": ("a.wav", content)}, data=fields)


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("json", "application/json"),
        ("verbose_json", "application/json"),
        ("text", "text/plain; charset=utf-8"),
        ("srt", "application/x-subrip; charset=utf-8"),
        ("vtt", "text/vtt; charset=utf-8"),
    ],
)
async def test_every_format(client: httpx.AsyncClient, format: str, media_type: str) -> None:
    response = await post(client, model="fake", response_format=format)
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert "w1" in response.text
    assert "w2" in response.text


async def test_lists_may_be_spelt_with_and_without_brackets(client: httpx.AsyncClient) -> None:
    for name in ("timestamp_granularities", "timestamp_granularities[]"):
        fields = {name: ["word", "segment"], "response_format": "verbose_json", "language": "en"}
        body = (await post(client, **fields)).json()
        assert [w["word"] for w in body["words"]] == ["w1", "w2"]
        assert [s["text"] for s in body["segments"]] == ["w1", "w2"]
        assert body["language"] == "en"
        assert body["duration"] == pytest.approx(2.4)


async def test_streamed_text_is_the_text(client: httpx.AsyncClient) -> None:
    response = await post(client, stream="true")
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line[6:] for line in response.text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    events = [json.loads(line) for line in lines]
    *deltas, done = events
    assert {e["type"] for e in deltas} == {"transcript.text.delta"}
    assert done["type"] == "transcript.text.done"
    assert "".join(e["delta"] for e in deltas).strip() == done["text"] == "w1 w2"


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "whisper-1"}, 404, "model_not_found", "model"),
        ({"response_format": "docx"}, 400, "invalid_value", "response_format"),
        ({"stream": "maybe"}, 400, "invalid_value", "stream"),
        ({"timestamp_granularities[]": "letter"}, 400, "invalid_value", "timestamp_granularities"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, fields: dict[str, str], status: int, code: str, param: str
) -> None:
    response = await post(client, **fields)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_audio_file"),
        (b"hello world, this is no audio" * 50, "invalid_audio_file"),
        (AUDIO[: len(AUDIO) // 2], "truncated_audio_file"),
        (wav(silence(0.0)), "empty_audio_file"),
    ],
)
async def test_a_bad_file_is_named_and_the_next_one_works(
    client: httpx.AsyncClient, content: bytes, code: str
) -> None:
    response = await post(client, content)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, code, "file")
    assert (await post(client)).json()["text"] == "w1 w2"


async def test_a_file_must_be_there(client: httpx.AsyncClient) -> None:
    response = await client.post(URL, data={"model": "fake", "file": "text"})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"


async def test_a_form_that_cannot_be_read_is_a_plain_error(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "multipart/form-data"}  # without its boundary
    broken = await client.post(URL, content=b"nonsense", headers=headers)
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "invalid_value")


async def test_an_upload_beyond_the_limit_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriptions, "MAX_UPLOAD_BYTES", 10_000)
    response = await post(client)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (
        413,
        "upload_too_large",
        "file",
    )


async def test_a_dead_engine_is_a_retryable_error(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.dead = True
    response = await post(client)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "engine_dead")
    assert response.headers["retry-after"]
    streamed = await post(client, stream="true")
    assert '"engine_dead"' in streamed.text
