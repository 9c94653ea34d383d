"""What `examples/twilio_bridge.py` says to a caller that it cannot serve."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from examples import twilio_bridge


@pytest.mark.parametrize(
    "media_format",
    [
        {"encoding": "audio/x-l16", "sampleRate": 8000, "channels": 1},
        {"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1},
    ],
)
async def test_another_encoding_is_refused(media_format: dict[str, object]) -> None:
    start = {"callSid": "CA1", "mediaFormat": media_format}
    async with serve(twilio_bridge.answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as twilio:
            await twilio.send(json.dumps({"event": "connected"}))
            await twilio.send(json.dumps({"event": "start", "start": start}))
            await twilio.wait_closed()
    assert twilio.close_code == 1003
    assert "audio/x-mulaw" in (twilio.close_reason or "")
