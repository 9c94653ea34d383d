"""Who is let in, over real sockets: keys, origins, room, secrets for browsers, health."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.deploy.test_keys import line
from tests.deploy.test_transport import COMMIT, COMPLETED, UPDATE, append, until
from tests.fakes.app import App, serving
from tests.fakes.engine import say, silence
from voxtide_server.config import Config

KEYED = Config(key="the-key")
BEARER = {"Authorization": "Bearer the-key"}
MISTRAL = "/v1/audio/transcriptions/realtime"
ACKNOWLEDGE = json.dumps({"type": "session.update", "session": {"acknowledge": True}})


async def refused(app: App, **options: Any) -> tuple[int, dict[str, Any], Any]:
    """Status, error and headers of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as caught:
        async with app.connect(**options):
            pass
    response = caught.value.response
    return response.status_code, json.loads(response.body)["error"], response.headers


async def heard(socket: ClientConnection, number: int = 1) -> str:
    """What comes of a word."""
    await socket.send(UPDATE)
    await socket.send(append(np.concatenate((say(number), silence(0.5)))))
    await socket.send(COMMIT)
    return str((await until(socket, COMPLETED))["transcript"])


# ---- keys --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": BEARER},
        {"additional_headers": {"authorization": "bearer the-key"}},
        {"subprotocols": ["realtime", "openai-insecure-api-key.the-key"]},
    ],
    ids=["header", "lower case", "browser"],
)
async def test_a_key_may_be_shown_in_several_ways(options: dict[str, Any]) -> None:
    async with serving(KEYED) as app, app.connect(**options) as socket:
        assert await heard(socket) == "w1"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"additional_headers": {"Authorization": "Bearer other"}},
        {"additional_headers": {"Authorization": "Basic the-key"}},
        {"query": "?intent=transcription&api_key=the-key"},
        {"subprotocols": ["realtime", "openai-insecure-api-key.other"]},
        {"path": MISTRAL},
    ],
    ids=["none", "wrong", "scheme", "address", "browser", "mistral"],
)
async def test_who_shows_no_key_is_refused(options: dict[str, Any]) -> None:
    async with serving(KEYED) as app:
        status, error, _ = await refused(app, **options)
        assert (status, error["code"]) == (401, "invalid_api_key")
        assert app.deployment.sessions.inside == 0


@pytest.mark.parametrize(
    ("settings", "open_paths"),
    [
        ({}, {"/metrics", "/health/ready"}),
        ({"guard_metrics": True}, {"/health/ready"}),
        ({"guard_health": True}, {"/metrics"}),
    ],
)
async def test_every_route_asks_for_the_key_but_those_that_are_left_open(
    settings: dict[str, Any], open_paths: set[str]
) -> None:
    async with (
        serving(Config(key="the-key", **settings)) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}") as client,
    ):
        for path in (
            "/metrics",
            "/health/ready",
            "/v1/models",
            "/docs",
            "/healthy",
            "/load_all",
            "/v1/audio/transcriptions",
        ):
            answer = await client.get(path)
            assert (answer.status_code == 401) == (path not in open_paths), path
            assert (await client.get(path, headers=BEARER)).status_code != 401


async def test_pages_of_other_origins_are_refused() -> None:
    async with serving(Config(allowed_origins="https://a.example, https://b.example")) as app:
        async with app.connect(origin="https://b.example") as socket:
            assert await heard(socket) == "w1"
        async with app.connect() as socket:  # no browser
            assert await heard(socket) == "w1"
        status, error, _ = await refused(app, origin="https://c.example")
        assert (status, error["code"]) == (403, "origin_not_allowed")


# ---- room --------------------------------------------------------------------------


async def test_one_session_too_many_is_refused_and_may_come_when_another_has_gone() -> None:
    async with serving(Config(max_sessions=2)) as app:
        async with app.connect() as first, app.connect() as second:
            status, error, headers = await refused(app)
            assert (status, error["code"]) == (503, "server_full")
            assert int(headers["retry-after"]) > 0
            assert [await heard(socket) for socket in (first, second)] == ["w1", "w1"]
        async with asyncio.timeout(10):
            while app.deployment.sessions.inside:
                await asyncio.sleep(0.01)
        async with app.connect() as socket:
            assert await heard(socket) == "w1"


async def test_a_key_that_has_too_many_sessions_leaves_room_for_the_others(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(line("greedy", "g") + line("other", "o"))
    async with serving(Config(keys_file=file, max_sessions_per_key=1)) as app:
        greedy, other = ({"Authorization": f"Bearer {key}"} for key in "go")
        async with app.connect(additional_headers=greedy) as socket:
            status, error, headers = await refused(app, additional_headers=greedy)
            assert (status, error["code"], error["type"]) == (429, "key_limit", "rate_limit_error")
            assert "retry-after" in headers
            async with app.connect(additional_headers=other) as another:
                assert await heard(another) == await heard(socket) == "w1"


async def test_a_file_too_many_is_refused() -> None:
    async with (
        serving(Config(max_requests=1)) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}", timeout=20) as client,
    ):
        from tests.deploy.test_transcriptions import AUDIO

        async def post(**fields: str) -> httpx.Response:
            files = {"file": ("a.wav", AUDIO)}
            return await client.post("/v1/audio/transcriptions", files=files, data=fields)

        for fields in ({}, {"stream": "true"}):
            app.engine.going.clear()
            inside = asyncio.create_task(post(**fields))
            while not app.engine.live:
                await asyncio.sleep(0.01)
            answer = await post()
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "server_full"
            assert "retry-after" in answer.headers
            app.engine.going.set()
            assert "w1 w2" in (await inside).text
            assert (await post()).json()["text"] == "w1 w2"


# ---- how long ----------------------------------------------------------------------


async def test_a_session_that_is_quiet_ends_with_its_last_words() -> None:
    async with serving(Config(quiet_seconds=1)) as app, app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(append(np.concatenate((say(1), silence(0.1)))))
        assert (await until(socket, COMPLETED))["transcript"] == "w1"
        with pytest.raises(ConnectionClosed):
            await until(socket, "never")
        assert socket.close_code == 1001


async def test_a_session_ends_when_it_has_lasted_as_long_as_it_may() -> None:
    settings = Config().model_copy(update={"session_seconds": 1.0})
    async with serving(settings) as app, app.connect() as socket:
        created = await until(socket, "session.created")
        assert created["session"]["expires_at"] > 1_700_000_000
        await socket.send(UPDATE)
        for _ in range(100):
            try:
                await socket.send(append(silence(0.05)))
                await asyncio.sleep(0.05)
            except ConnectionClosed:
                break
        assert socket.close_code == 1001


async def test_a_message_that_is_too_large_is_told_and_the_session_goes_on() -> None:
    async with serving(Config(max_message_bytes=1 << 16)) as app, app.connect() as socket:
        await socket.send(append(silence(10.0)))
        error = (await until(socket, "error"))["error"]
        assert error["code"] == "message_too_large"
        assert await heard(socket) == "w1"


# ---- secrets for browsers ----------------------------------------------------------


async def test_openais_secret_opens_sessions_that_begin_as_it_says() -> None:
    async with (
        serving(KEYED) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}", headers=BEARER) as client,
    ):
        form = {"type": "audio/pcm", "rate": 16000}
        session = {"type": "transcription", "audio": {"input": {"format": form}}}
        asked = {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": session}
        answer = (await client.post("/v1/realtime/client_secrets", json=asked)).json()
        assert answer["session"]["audio"]["input"]["format"] == form
        secret = answer["value"]
        assert secret.startswith("ek_")
        browser = ["realtime", f"openai-insecure-api-key.{secret}"]
        async with app.connect("?model=fake", subprotocols=browser) as socket:
            created = await until(socket, "session.created")
            assert created["session"]["audio"]["input"]["format"] == form
            await socket.send(append(np.concatenate((say(3), silence(0.5)))))
            await socket.send(COMMIT)
            assert (await until(socket, COMPLETED))["transcript"] == "w3"
        headers = {"Authorization": f"Bearer {secret}"}
        for path in ("/v1/realtime/client_secrets", "/v1/audio/transcriptions"):
            assert (await client.post(path, headers=headers)).status_code == 401, path


async def test_openais_beta_secret_is_in_a_flat_session() -> None:
    async with (
        serving(KEYED) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}", headers=BEARER) as client,
    ):
        asked = {"input_audio_format": "g711_ulaw"}
        answer = (await client.post("/v1/realtime/transcription_sessions", json=asked)).json()
        assert answer["input_audio_format"] == "g711_ulaw"
        headers = {"Authorization": f"Bearer {answer['client_secret']['value']}"}
        async with app.connect(additional_headers=headers) as socket:
            created = await until(socket, "transcription_session.created")
            assert created["session"]["input_audio_format"] == "g711_ulaw"


async def test_mistrals_secret_opens_its_sessions() -> None:
    async with (
        serving(KEYED) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}", headers=BEARER) as client,
    ):
        asked = {"model": "fake", "purpose": "realtime", "ttl_seconds": 60}
        answer = await client.post("/v1/client/sessions", json=asked)
        assert answer.status_code == 201
        secret = answer.json()["client_secret"]["value"]
        assert secret.startswith("rt_")
        async with app.connect("?model=fake", MISTRAL, subprotocols=["realtime", secret]) as socket:
            await until(socket, "session.created")


async def test_a_secret_for_another_protocol_is_told_and_nothing_is_left() -> None:
    async with (
        serving(KEYED) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}", headers=BEARER) as client,
    ):
        asked = {"input_audio_format": "g711_ulaw"}
        answer = (await client.post("/v1/realtime/transcription_sessions", json=asked)).json()
        headers = {"Authorization": f"Bearer {answer['client_secret']['value']}"}
        async with app.connect("", MISTRAL, additional_headers=headers) as socket:
            error = (await until(socket, "error"))["error"]
            assert (error["type"], error["code"]) == ("unknown_event", 400)
            assert await closed(socket) == 1008
        large = {"session": {"audio": {"input": {"transcription": {"prompt": "x" * 8000}}}}}
        refused = await client.post("/v1/realtime/client_secrets", json=large)
        assert refused.json()["error"]["code"] == "message_too_large"


async def test_a_secret_does_no_harm_where_no_key_is_asked_for() -> None:
    async with (
        serving(Config()) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}") as client,
    ):
        secret = (await client.post("/v1/realtime/client_secrets")).json()["value"]
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await client.post("/v1/realtime/client_secrets", headers=headers)).is_success


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        ("realtime/client_secrets", "[]", "invalid_value", None),
        ("realtime/client_secrets", "{", "invalid_json", None),
        ("realtime/client_secrets", "x" * 70_000, "message_too_large", None),
        (
            "realtime/client_secrets",
            '{"expires_after": {"seconds": 5}}',
            "invalid_value",
            "expires_after.seconds",
        ),
        (
            "realtime/client_secrets",
            '{"session": {"type": "realtime"}}',
            "unsupported_value",
            "session.type",
        ),
        ("client/sessions", '{"model": "other"}', "model_not_found", "model"),
        ("client/sessions", '{"purpose": "chat"}', "unsupported_value", "purpose"),
        ("client/sessions", '{"ttl_seconds": "long"}', "invalid_value", "ttl_seconds"),
    ],
)
async def test_a_wrong_request_for_a_secret_is_named(
    path: str, body: str, code: str, param: str | None
) -> None:
    async with (
        serving(Config()) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}") as client,
    ):
        answer = await client.post(f"/v1/{path}", content=body)
        error = answer.json()["error"]
        assert answer.status_code in (400, 404, 413)
        assert (error["code"], error["param"]) == (code, param)


# ---- the end -----------------------------------------------------------------------


async def closed(socket: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        await until(socket, "never")
    return socket.close_code


async def rest(socket: ClientConnection) -> list[dict[str, Any]]:
    """All that comes until the connection is closed."""
    told = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            told.append(json.loads(await socket.recv()))
    return told


async def test_a_server_that_is_to_stop_lets_nobody_in_and_closes_sessions_between_turns() -> None:
    async with (
        serving(Config()) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}") as client,
        app.connect() as quiet,
        app.connect() as speaking,
    ):
        assert await heard(quiet) == "w1"
        await speaking.send(UPDATE)
        await speaking.send(append(np.concatenate((say(2), silence(0.8)))))
        await until(speaking, "conversation.item.input_audio_transcription.delta")
        app.deployment.drain.begin()
        assert (await client.get("/health/ready")).json()["status"] == "draining"
        status, error, _ = await refused(app)
        assert (status, error["code"]) == (503, "draining")
        files = {"file": ("a.wav", b"")}
        assert (await client.post("/v1/audio/transcriptions", files=files)).status_code == 503
        assert await closed(quiet) == 1012
        assert (await until(speaking, "session.draining"))["seconds"] == 60
        await speaking.send(append(silence(0.5)))
        await speaking.send(COMMIT)
        assert (await until(speaking, COMPLETED))["transcript"] == "w2"
        assert await closed(speaking) == 1012


async def test_who_goes_on_speaking_is_heard_to_the_deadline() -> None:
    async with serving(Config(drain_seconds=0.3)) as app, app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(append(np.concatenate((say(2), silence(0.1)))))
        await until(socket, "session.updated")
        app.deployment.drain.begin()

        async def go_on() -> None:
            while True:
                await socket.send(append(silence(0.02)))
                await asyncio.sleep(0.02)

        going_on = asyncio.create_task(go_on())
        assert (await until(socket, COMPLETED))["transcript"] == "w2"
        assert await closed(socket) == 1012
        await asyncio.gather(going_on, return_exceptions=True)


async def test_who_can_go_on_elsewhere_is_not_cut_in_a_word() -> None:
    async with serving(Config(drain_seconds=0.3)) as app, app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(ACKNOWLEDGE)
        await socket.send(append(np.concatenate((say(2), silence(1.0), say(3, 2.0)))))
        await until(socket, "conversation.item.input_audio_transcription.delta")
        app.deployment.drain.begin()
        await until(socket, "session.draining")
        told = await rest(socket)
        assert socket.close_code == 1012
        assert told[-1]["type"] == "session.acknowledged"
        assert 0.25 <= told[-1]["position"] <= 1.3, "between the words"
        assert not any(message["type"].endswith("completed") for message in told)


async def test_who_can_go_on_elsewhere_waits_for_no_final_transcript() -> None:
    async with serving(Config(drain_seconds=0.3)) as app, app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(ACKNOWLEDGE)
        app.engine.going.clear()
        await socket.send(append(np.concatenate((say(2), silence(1.0)))))
        await socket.send(COMMIT)
        await until(socket, "input_audio_buffer.committed")
        await socket.send(append(say(3, 2.0)))
        app.deployment.drain.begin()
        await until(socket, "session.draining")
        told = await rest(socket)
        assert socket.close_code == 1012
        assert [message["type"] for message in told] == ["session.acknowledged"]
        assert told[0]["position"] == 0.0


async def test_who_can_go_on_elsewhere_is_not_cut_in_a_word_that_no_one_has_heard_yet() -> None:
    """The engine is behind: that it has told of no word does not mean that none was said."""
    async with serving(Config(drain_seconds=60)) as app, app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(ACKNOWLEDGE)
        await socket.send(append(silence(0.4)))
        await until(socket, "session.updated")
        app.deployment.drain.begin()
        told = await rest(socket)
        assert socket.close_code == 1012
        assert (told[-1]["type"], told[-1]["position"]) == ("session.acknowledged", 0.0)
        assert not any(message["type"].endswith("committed") for message in told)


async def test_an_open_microphone_in_silence_does_not_hold_the_server_up() -> None:
    async with serving(Config()) as app, app.connect() as socket:
        await socket.send(UPDATE)
        detection = {"type": "server_vad"}
        update = {"audio": {"input": {"turn_detection": detection}}}
        await socket.send(json.dumps({"type": "session.update", "session": update}))
        await socket.send(append(np.concatenate((say(900), silence(1.5)))))
        assert (await until(socket, COMPLETED))["transcript"] == "w900"
        await socket.send(append(silence(0.1)))
        await asyncio.sleep(0.1)
        app.deployment.drain.begin()
        assert await closed(socket) == 1012


async def test_each_client_is_told_in_its_own_words() -> None:
    vllm: dict[str, Any] = {"query": ""}
    mistral: dict[str, Any] = {"query": "", "path": MISTRAL}
    for options, first in (
        (vllm, {"type": "session.update", "model": "fake"}),
        (mistral, {"type": "session.update", "session": {}}),
    ):
        async with serving(Config()) as app, app.connect(**options) as socket:
            await socket.send(json.dumps(first))
            await until(socket, "session.created")
            await asyncio.sleep(0.1)
            app.deployment.drain.begin()
            assert (await until(socket, "session.draining"))["seconds"] == 60
            assert await closed(socket) == 1012


# ---- health ------------------------------------------------------------------------


async def test_health_tells_whether_to_send_sessions() -> None:
    settings = Config(max_sessions=1, ready_when_full=False)
    async with (
        serving(settings) as app,
        httpx.AsyncClient(base_url=f"http://{app.url}") as client,
    ):

        async def health(name: str) -> tuple[int, str]:
            answer = await client.get(f"/health/{name}")
            return answer.status_code, answer.json()["status"]

        assert await health("live") == (200, "live")
        assert await health("startup") == (200, "started")
        assert await health("ready") == (200, "ready")
        async with app.connect() as socket:
            await until(socket, "session.created")
            assert await health("ready") == (503, "full")
        app.engine.dead = True
        assert await health("ready") == (503, "engine_dead")
        assert await health("live") == (200, "live")
