"""A live session in OpenAI's dialect, step by step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.conftest import Server
from tests.integration.audio import Pcm, base64_pieces

FRAME = 1_280
SURE = ("demo-piper-joe", "voice-091-espeak-Marco", "sentence-176-flite-kal16")
"""Clips whose words do not hang on a hair: they are heard right beside others, and when cut."""


class Live:
    """One session; `events` are all that came so far."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []

    async def say(self, pcm: Pcm, *, paced: bool = False) -> None:
        """Send audio, in frames of 80 ms."""
        for piece in base64_pieces(pcm, FRAME):
            message = {"type": "input_audio_buffer.append", "audio": piece}
            await self.socket.send(json.dumps(message))
            await asyncio.sleep(0.08 if paced else 0)  # or nobody reads until all is sent

    async def commit(self) -> None:
        """End the turn."""
        await self.socket.send(json.dumps({"type": "input_audio_buffer.commit"}))

    async def until(self, *endings: str, seconds: float = 120) -> dict[str, Any]:
        """The next event whose type ends so."""
        async with asyncio.timeout(seconds):
            while True:
                event = json.loads(await self.socket.recv())
                self.events.append(event)
                if event["type"].endswith(endings):
                    return dict(event)

    async def transcript(self) -> str:
        """Of the next turn that is final; a failed one fails the test."""
        event = await self.until("transcription.completed", "transcription.failed", "error")
        return str(event["transcript"]) if "transcript" in event else str(event)


@asynccontextmanager
async def session(server: Server) -> AsyncIterator[Live]:
    """A session at 16 kHz."""
    url = f"ws://{server.host}/v1/realtime?intent=transcription"
    async with connect(url, ping_interval=None) as socket:
        form = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}}
        await socket.send(json.dumps({"type": "session.update", "session": form}))
        yield Live(socket)


async def gauge(server: Server, name: str) -> float:
    """A metric of vLLM's, summed over its labels."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://{server.host}/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


async def eventually(server: Server, name: str, value: float) -> None:
    """Wait until a metric has a value; it is reported a few times a second."""
    for _ in range(300):
        if abs(await gauge(server, name) - value) < 1e-6:  # some are sums of fractions
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name} is {await gauge(server, name)}, not {value}")
