"""Handshakes as clients send them, on a real uvicorn."""

from __future__ import annotations

import json

from tests.fakes.app import serving
from voxtide_server.config import Config


async def test_two_connection_lines_are_one_list() -> None:
    """LiveKit's plugin for Mistral sends the headers of its HTTP client along."""
    async with (
        serving(Config()) as app,
        app.connect(additional_headers={"connection": "keep-alive"}) as socket,
    ):
        assert socket.request.headers.get_all("Connection") == ["Upgrade", "keep-alive"]
        assert json.loads(await socket.recv())["type"] == "session.created"
