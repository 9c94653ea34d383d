"""What servers say of themselves."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.server import ServerConnection

from tests.client import fakes
from tests.client.fake_service import Page, say, service
from voxtide import UnreachableError
from voxtide.config import Endpoint, Timeout
from voxtide_eval.inference.server import ModelError, Served, described

MODELS = json.dumps({"data": [{"id": "nano"}, {"id": "other"}]})
BUILD = 'voxtide_build_info{version="0.1.0",vllm="0.32.0"} 1.0\n'


async def greet(connection: ServerConnection) -> None:
    session = {"audio": {"input": {"transcription": {"delay_ms": 480}}}}
    await say(connection, type="session.created", session=session)
    await connection.recv()
    await say(connection, type="session.updated", session=session)


async def asked(url: str, model: str | None = None) -> Served:
    return await described(Endpoint.resolve(url, None), model, Timeout())


async def test_voxtide_tells_versions_and_the_delay() -> None:
    pages: dict[str, Page] = {"/v1/models": MODELS, "/metrics": BUILD}
    talks = {"/v1/realtime?intent=transcription": greet}
    async with service(pages, talks) as url:
        served = await asked(url)
    versions = {"product": "voxtide", "voxtide": "0.1.0", "vllm": "0.32.0"}
    assert served == Served("nano", 480, versions)


async def test_stock_vllm_tells_its_version() -> None:
    pages: dict[str, Page] = {"/v1/models": MODELS, "/version": '{"version": "0.32.0"}'}
    async with service(pages, {}) as url:
        served = await asked(url, "other")
    assert served == Served("other", None, {"product": "vllm", "vllm": "0.32.0"})


@pytest.mark.parametrize(
    ("schema", "product", "version"),
    [
        ('{"info": {"title": "Some ASR", "version": "1.2"}}', "Some ASR", "1.2"),
        ("nonsense", "unknown", "unknown"),
        ("[]", "unknown", "unknown"),
    ],
)
async def test_others_are_known_by_their_schema(schema: str, product: str, version: str) -> None:
    pages: dict[str, Page] = {"/v1/models": MODELS, "/openapi.json": schema}
    async with service(pages, {}) as url:
        served = await asked(url)
    assert served == Served("nano", None, {"product": product, "version": version})


async def test_a_model_that_is_not_served() -> None:
    async with service({"/v1/models": MODELS}, {}) as url:
        with pytest.raises(ModelError, match="no model 'big', but nano, other"):
            await asked(url, "big")


async def test_a_server_that_lists_no_models_has_to_be_told_one() -> None:
    async with service({}, {}) as url:
        with pytest.raises(ModelError, match="--model"):
            await asked(url)
        assert (await asked(url, "whisper-1")).model == "whisper-1"


async def test_a_server_that_is_not_there() -> None:
    async with fakes.files(lambda form: None) as fake:
        url = fake.base_url
    with pytest.raises(UnreachableError):
        await asked(url)
