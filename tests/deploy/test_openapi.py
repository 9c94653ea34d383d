"""What /openapi.json says of voxtide's routes, and that it is true."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

import voxtide
from tests.deploy.test_transcriptions import AUDIO, URL
from tests.fakes.app import App, serving, serving_in_a_thread
from voxtide_server import browser_secrets, formats, transcriptions
from voxtide_server.audio import RATES
from voxtide_server.config import Config
from voxtide_server.dialects import openai
from voxtide_server.errors import CODES
from voxtide_server.openapi import Document, document

ROOT = Path(__file__).parents[2]
OPERATIONS = [(path, method) for path, about in document()["paths"].items() for method in about]
WEBSOCKET_ALONE = {
    *("binary_frame", "invalid_audio", "invalid_event", "key_limit", "origin_not_allowed"),
    *("session_ended", "unknown_event"),
}

schemathesis.openapi.format("binary", st.just(AUDIO))


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with serving_in_a_thread(Config()) as app:
        yield app


def strict(told: Document) -> Document:
    """The same, but that an answer may have no field that is not in it."""
    told = copy.deepcopy(told)
    for name, node in told["components"]["schemas"].items():
        if not name.endswith(("Form", "Update")):  # in requests there may be more
            close(node)
    return told


def close(node: Any) -> None:
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        close(inner)
    if isinstance(node, dict) and "properties" in node:
        node["additionalProperties"] = False


EVENT = jsonschema_rs.validator_for(
    {**strict(document()), "$ref": "#/components/schemas/VoxtideTranscriptionEvent"}
)


def operation(told: Document, path: str, method: str, url: str = "") -> Any:
    schema = schemathesis.openapi.from_dict(told)
    schema.config.update(base_url=url)
    return schema[path][method.upper()]


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        (path, method, mode)
        for path, method in OPERATIONS
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or method == "post"  # else nothing can be wrong
    ],
)
def test_requests_are_answered_as_the_document_says(
    app: App, path: str, method: str, mode: GenerationMode
) -> None:
    """Right ones are met, wrong ones are not, and no answer is of another shape."""
    told = strict(requests.get(f"http://{app.url}/openapi.json").json())
    # In a form everything is text, and who sends a field twice means the last one.
    left_out = [negative_data_rejection] if path == URL else []
    cases = operation(told, path, method, f"http://{app.url}").as_strategy(generation_mode=mode)

    @settings(
        derandomize=True,
        database=None,
        max_examples=40,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(cases)
    def answer_is_right(case: Any) -> None:
        response = case.call_and_validate(excluded_checks=left_out)
        assert "Traceback" not in response.text

    answer_is_right()


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        *(({"response_format": name}, {}) for name in formats.names()),
        (
            {
                "response_format": "verbose_json",
                "timestamp_granularities[]": ["word", "segment"],
                "language": "de",
                "prompt": "-",
            },
            {},
        ),
        ({"stream": "true"}, {}),
        ({"diarize": "true"}, {}),
        ({"stream": "true"}, {"User-Agent": "mistral-client-python/3.7.0"}),
        ({"model": "other"}, {}),
        ({"stream": "maybe"}, {}),
    ],
)
def test_every_shape_of_a_transcript_is_in_the_document(
    app: App, fields: dict[str, Any], headers: dict[str, str]
) -> None:
    files = {"file": ("a.wav", AUDIO)}
    response = requests.post(f"http://{app.url}{URL}", data=fields, files=files, headers=headers)
    operation(strict(document()), URL, "post").validate_response(response)
    events = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
    assert bool(events) == (fields.get("stream") == "true")
    for event in events:
        EVENT.validate(json.loads(event))


async def test_who_is_not_served_is_answered_as_the_document_says() -> None:
    checked = []
    async with serving(Config(key="the-key", guard_health=True, max_requests=1)) as app:

        async def ask(status: int, **headers: str) -> None:
            for path, method in OPERATIONS:
                files = {"file": ("a.wav", AUDIO)} if path == URL else None
                address = f"http://{app.url}{path}"
                response = await asyncio.to_thread(
                    requests.request, method, address, files=files, headers=headers
                )
                if response.status_code == status:
                    operation(strict(document()), path, method).validate_response(response)
                    checked.append((status, path))

        await ask(401)
        assert len(checked) == len(OPERATIONS)
        app.deployment.drain.begin()
        await ask(503, Authorization="Bearer the-key")
        app.engine.dead = True
        await ask(503, Authorization="Bearer the-key")
    assert checked[len(OPERATIONS) :] == [(503, URL), (503, "/health/ready")] * 2


def test_the_document_names_what_the_code_has() -> None:
    schemas = document()["components"]["schemas"]
    codes = schemas["VoxtideError"]["properties"]["error"]["properties"]["code"]["enum"]
    assert codes == sorted(CODES.keys() - WEBSOCKET_ALONE)
    documented = {
        int(status)
        for about in document()["paths"].values()
        for one in about.values()
        for status in one["responses"]
    }
    assert {CODES[code].status for code in codes} == {s for s in documented if s >= 400}
    form = schemas["VoxtideTranscriptionForm"]["properties"]
    assert form["response_format"]["enum"] == list(formats.names())
    granularities = schemas["VoxtideGranularities"]["items"]["enum"]
    assert set(granularities) == transcriptions._GRANULARITIES
    assert form.keys() >= transcriptions._USED
    assert schemas["VoxtideRate"]["enum"] == list(RATES)
    seconds = schemas["VoxtideSecretSeconds"]
    assert (seconds["minimum"], seconds["default"], seconds["maximum"]) == (
        browser_secrets.SHORTEST_S,
        browser_secrets.DEFAULT_S,
        browser_secrets.LONGEST_S,
    )
    assert schemas["VoxtideSessionTranscription"]["properties"]["delay"]["enum"] == list(
        openai._DELAYS
    )
    assert document()["info"]["version"] == voxtide.__version__


def test_the_page_of_protocols_has_every_code() -> None:
    page = (ROOT / "docs" / "protocols.md").read_text().partition("\n## Errors\n")[2]
    assert not [code for code in CODES if f"`{code}`" not in page]
