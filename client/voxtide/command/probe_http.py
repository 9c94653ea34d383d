"""What a server tells of itself over HTTP.  What it does not tell is None.

GET /health/ready, /metrics     voxtide: status, version, sessions
GET /health, /version           vLLM: whether its engine runs, its version
GET /v1/models                  all that speak OpenAI's API
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from .. import error_mapping, file_request
from ..config import Endpoint, Timeout

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_SAMPLE = re.compile(rf"^(\w+)(?:\{{(.*)\}})? ({_NUMBER})$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class HttpFacts:
    """What is known.

    Attributes:
        status: "ready", "starting", "draining", "full", "engine_dead" (voxtide), or "running".
        voxtide, vllm: Versions.
        key: "accepted", "refused", or "not asked for".
        models: Names; the first is what the server calls its model.
        sessions, capacity: Live sessions that are open, and that are let in at once.
        clock_ahead_s: Seconds that the server's clock is ahead of this one's, to a second.
        round_trip_s: Of a small request on an open connection.
    """

    status: str | None
    voxtide: str | None
    vllm: str | None
    key: str | None
    models: tuple[str, ...] | None
    sessions: int | None
    capacity: int | None
    clock_ahead_s: float | None
    round_trip_s: float


async def ask(endpoint: Endpoint, patience: Timeout) -> HttpFacts:
    """Ask for all of it.  Raises UnreachableError or another VoxtideError if nothing comes back."""
    root = endpoint.base_url.removesuffix("/v1")
    async with httpx.AsyncClient(**file_request.http_options(endpoint, patience)) as http:
        ready = await _get(http, f"{root}/health/ready")
        began, began_s = time.time(), time.monotonic()
        models = await _get(http, f"{endpoint.base_url}/models")
        took_s = time.monotonic() - began_s
        health = await _get(http, f"{root}/health")
        version = await _get(http, f"{root}/version")
        samples = _samples(await _get(http, f"{root}/metrics"))
        build = next((labels for name, labels, _ in samples if name == "voxtide_build_info"), {})
        return HttpFacts(
            status=_text(_json(ready), "status") or _engine(health),
            voxtide=build.get("version"),
            vllm=build.get("vllm") or _text(_json(version), "version"),
            key=await _key(http, endpoint, models),
            models=_models(models),
            sessions=_sum(samples, "voxtide_sessions"),
            capacity=_sum(samples, "voxtide_sessions_capacity"),
            clock_ahead_s=_clock_ahead(models, began + took_s / 2),
            round_trip_s=took_s,
        )


async def _get(http: httpx.AsyncClient, url: str, **options: Any) -> httpx.Response:
    with error_mapping.posting(url):
        return await http.get(url, **options)


async def _key(http: httpx.AsyncClient, endpoint: Endpoint, with_key: httpx.Response) -> str | None:
    """What the server makes of the key, by what it answers with and without."""
    if with_key.status_code in _REFUSED:
        return "refused"
    if not with_key.is_success:
        return None
    if endpoint.api_key is None:
        return "not asked for"
    without = await _get(http, f"{endpoint.base_url}/models", headers={"Authorization": ""})
    return "accepted" if without.status_code in _REFUSED else "not asked for"


def _engine(health: httpx.Response) -> str | None:
    if health.is_success:
        return "running"
    return "engine_dead" if health.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else None


def _models(answer: httpx.Response) -> tuple[str, ...] | None:
    data = _json(answer).get("data") if answer.is_success else None
    if not isinstance(data, list):
        return None
    return tuple(str(model["id"]) for model in data if isinstance(model, dict) and "id" in model)


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        data = answer.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) else None


def _samples(answer: httpx.Response) -> list[tuple[str, dict[str, str], float]]:
    """The samples of a page of metrics, in Prometheus' text format: name, labels, value."""
    if not answer.is_success:
        return []
    found = _SAMPLE.findall(answer.text)
    return [(name, dict(_LABEL.findall(labels)), float(value)) for name, labels, value in found]


def _sum(samples: list[tuple[str, dict[str, str], float]], name: str) -> int | None:
    values = [value for found, _, value in samples if found == name]
    return round(sum(values)) if values else None


def _clock_ahead(answer: httpx.Response, middle: float) -> float | None:
    """A Date leaves out the fraction of a second, and uvicorn's is up to a second old."""
    try:
        date = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return (aware - datetime.fromtimestamp(middle, UTC)).total_seconds() + 1.0
