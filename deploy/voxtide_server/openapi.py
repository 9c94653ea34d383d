"""The server's /openapi.json: FastAPI's for vLLM's routes, `openapi.yaml` for voxtide's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI

Document = dict[str, Any]


@cache
def document() -> Document:
    """What voxtide's routes take and answer."""
    text = Path(__file__).with_name("openapi.yaml").read_text(encoding="utf-8")
    loaded: Document = yaml.safe_load(text)
    return loaded


def describe(app: FastAPI) -> None:
    """Have an app tell of voxtide's routes too, in the place of its own of the same path."""
    generate = app.openapi

    def openapi() -> Document:
        theirs, ours = generate(), document()
        components: Document = dict(theirs.get("components", {}))
        for kind, named in ours["components"].items():
            components[kind] = {**components.get(kind, {}), **named}
        return {**theirs, "paths": theirs["paths"] | ours["paths"], "components": components}

    app.openapi = openapi  # type: ignore[method-assign]
