"""What an operator relies on, with a server of its own: keys, metrics, room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.conftest import Clip, Server, serving
from tests.integration.audio import pause, pcm16
from tests.integration.live import SURE, Live, session
from voxtide_server.openapi import document

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

BEARER = {"Authorization": "Bearer the-key"}


@pytest.fixture(scope="module")
def keyed() -> Iterator[Server]:
    flags = ("--guard-health", "true", "--max-sessions", "2")
    vllm = ("--api-server-count", "2", "--allowed-origins", '["https://a.example"]')
    vllm += ("--logging-config.formatter", "json")
    with serving(*flags, "--", *vllm, env={"VOXTIDE_KEY": "the-key"}) as server:
        yield server


async def test_keys_guard_vllms_own_routes_too(keyed: Server) -> None:
    async with httpx.AsyncClient(base_url=f"http://{keyed.host}") as client:
        for path in ("/v1/models", "/health", "/health/ready", "/docs"):
            assert (await client.get(path)).status_code == 401, path
            assert (await client.get(path, headers=BEARER)).status_code == 200, path
        assert (await client.get("/metrics")).status_code == 200
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        preflight = await client.options("/v1/realtime/client_secrets", headers=asked)
        assert preflight.status_code == 200, preflight.text


async def test_the_servers_own_document_has_all_routes(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        told = (await client.get(f"http://{server.host}/openapi.json")).raise_for_status().json()
    assert told["paths"].items() >= document()["paths"].items()
    assert "/v1/models" in told["paths"]


async def test_a_secret_of_one_api_server_opens_sessions_on_both(
    keyed: Server, clips: list[Clip]
) -> None:
    async with AsyncOpenAI(base_url=keyed.base_url, api_key="the-key") as client:
        form = {"type": "audio/pcm", "rate": 16000}
        given: Any = {"type": "transcription", "audio": {"input": {"format": form}}}
        secret = await client.realtime.client_secrets.create(session=given)
    url = f"ws://{keyed.host}/v1/realtime?model=nano"
    protocols: Any = ["realtime", f"openai-insecure-api-key.{secret.value}"]
    for clip in clips[:4]:  # the kernel deals connections out
        async with connect(url, subprotocols=protocols, ping_interval=None) as socket:
            live = Live(socket)
            await live.say(pcm16(clip.path))
            await live.commit()
            assert await live.transcript() == clip.text


async def test_a_full_server_refuses_at_the_door(keyed: Server) -> None:
    url = f"ws://{keyed.host}/v1/realtime?intent=transcription"
    tries = [connect(url, additional_headers=BEARER) for _ in range(5)]  # two in each API server
    answers = await asyncio.gather(*tries, return_exceptions=True)
    refused = [answer.response for answer in answers if isinstance(answer, InvalidStatus)]
    assert 1 <= len(refused) <= 3
    for response in refused:
        assert response.status_code == 503
        assert "retry-after" in response.headers
        assert json.loads(response.body)["error"]["code"] == "server_full"
    inside = [answer for answer in answers if isinstance(answer, ClientConnection)]
    await asyncio.gather(*(socket.close() for socket in inside))


async def test_lines_of_the_log_are_json_and_name_their_request(
    keyed: Server, clips: list[Clip]
) -> None:
    url = f"ws://{keyed.host}/v1/realtime?intent=transcription"
    async with connect(url, additional_headers=BEARER) as socket:
        session_id = json.loads(await socket.recv())["session"]["id"]
        live = Live(socket)
        await live.say(pcm16(clips[0].path))
        await live.commit()
        words = (await live.transcript()).split()
    async with httpx.AsyncClient(base_url=f"http://{keyed.host}", headers=BEARER) as client:
        name = (await client.get("/v1/models")).headers["x-request-id"]
    told: dict[str, str] = {}
    for _ in range(100):
        # Libraries print some lines of their own while they are imported.
        written = keyed.log.read_text().splitlines()
        lines = [json.loads(line) for line in written if line.startswith("{")]
        told = {line["request_id"]: line["message"] for line in lines if "request_id" in line}
        if {session_id, name} <= told.keys():
            break
        await asyncio.sleep(0.1)
    assert "session in openai's dialect gone" in told[session_id]
    assert "GET /v1/models 200" in told[name]
    assert max(words, key=len) not in keyed.log.read_text()


async def test_metrics_of_all_api_servers_add_up(keyed: Server, clips: list[Clip]) -> None:
    async def samples() -> dict[str, float]:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://{keyed.host}/metrics")).text
        lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("voxtide_")]
        return {name: float(value) for name, _, value in lines}

    name = 'voxtide_turns_total{kind="live",outcome="completed"}'
    before = await samples()
    assert before["voxtide_sessions_capacity"] == 4
    url = f"ws://{keyed.host}/v1/realtime?intent=transcription"
    for _ in range(6):
        async with connect(url, additional_headers=BEARER, ping_interval=None) as socket:
            live = Live(socket)
            await live.commit()
            await live.until("transcription.completed")
    await asyncio.sleep(2)
    after = [await samples() for _ in range(4)]
    assert {round(s[name] - before.get(name, 0.0)) for s in after} == {6}
    assert {s['voxtide_sessions{dialect="openai"}'] for s in after} == {0.0}


async def test_turns_are_detected_in_a_recording_of_several(
    server: Server, clips: list[Clip]
) -> None:
    spoken = [clip for clip in clips if clip.path.stem in SURE[1:]]
    async with session(server) as live:
        detection = {"type": "server_vad", "silence_duration_ms": 2000}
        update = {"audio": {"input": {"turn_detection": detection}}}
        await live.socket.send(json.dumps({"type": "session.update", "session": update}))
        for clip in spoken:
            await live.say(np.append(pcm16(clip.path), pause(4.0)))
            assert await live.transcript() == clip.text
        kinds = [event["type"].rpartition(".")[2] for event in live.events]
    assert kinds.count("speech_started") == kinds.count("speech_stopped") == len(spoken)
    assert kinds.index("speech_started") < kinds.index("delta")
    assert kinds.index("speech_stopped") < kinds.index("committed") < kinds.index("completed")
