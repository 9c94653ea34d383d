"""What a server says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from voxtide.command import probe_http, probe_live
from voxtide.config import Endpoint, Timeout
from voxtide.file_request import http_options


class ModelError(ValueError):
    """The model that is asked for is not served, or none is told."""


@dataclass(frozen=True)
class Served:
    """A model behind a server.

    Attributes:
        model: its name there.
        delay_ms: of it; None: the server does not say.
        server: its product, and the versions that it tells.
    """

    model: str
    delay_ms: int | None
    server: Mapping[str, str]

    @property
    def label(self) -> str:
        """What reports call it where nobody has named it."""
        return f"{self.server['product']} {self.model}"


async def described(endpoint: Endpoint, model: str | None, patience: Timeout) -> Served:
    """Ask a server what it is.

    Args:
        model: that is to be asked for; None: the first that the server lists.

    Raises:
        UnreachableError: it is not there.
        ModelError: it has no such model, or lists none and none is named.
    """
    facts = await probe_http.ask(endpoint, patience)
    name = _chosen(model, facts.models)
    if facts.voxtide is not None:
        server = {"product": "voxtide", "voxtide": facts.voxtide, "vllm": facts.vllm or ""}
        greeting = await probe_live.greet(endpoint, "openai", patience)
        return Served(name, greeting.delay_ms, server)
    if facts.vllm is not None:
        return Served(name, None, {"product": "vllm", "vllm": facts.vllm})
    return Served(name, None, await _by_its_schema(endpoint, patience))


def _chosen(model: str | None, served: tuple[str, ...] | None) -> str:
    if model is None:
        if not served:
            raise ModelError("the server does not list its models: name one (--model)")
        return served[0]
    if served and model not in served:
        raise ModelError(f"the server has no model {model!r}, but {', '.join(served[:20])}")
    return model


async def _by_its_schema(endpoint: Endpoint, patience: Timeout) -> dict[str, str]:
    """Most servers that have OpenAI's API are built on FastAPI, which tells title and version."""
    root = endpoint.base_url.removesuffix("/v1")
    async with httpx.AsyncClient(**http_options(endpoint, patience)) as http:
        try:
            answer = await http.get(f"{root}/openapi.json")
            info: Any = answer.json().get("info")
        except (httpx.HTTPError, ValueError, AttributeError):
            info = None
    told = info if isinstance(info, dict) else {}
    return {
        "product": str(told.get("title") or "unknown"),
        "version": str(told.get("version") or "unknown"),
    }
