"""The load: streams in vLLM's own dialect, which both servers speak."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect

from ..engine import FRAME_S, FRAME_SAMPLES


@dataclass
class Stream:
    """What one stream saw; times by the monotonic clock, in seconds.

    Attributes:
        sent: when each frame was sent.
        heard: number and arrival of each delta with text. The number counts all
            deltas, so on stock, which sends one for every frame, it is the frame.
        frames: tokens that the server brought.
        text: the transcript.
    """

    sent: list[float] = field(default_factory=list)
    heard: list[tuple[int, float]] = field(default_factory=list)
    frames: int = 0
    text: str = ""


async def run(
    host: str, model: str, pcm: NDArray[np.int16], streams: int, paced: bool
) -> list[Stream]:
    """Run streams side by side, each over its own connection.

    Args:
        host: HOST:PORT.
        model: the name that is served.
        pcm: audio at 16 kHz, the same for every stream.
        streams: how many.
        paced: in real time, their starts spread over a frame; else as fast as it goes.
    """
    frames = [
        json.dumps(
            {
                "type": "input_audio_buffer.append",
                "audio": base64.b64encode(pcm[start : start + FRAME_SAMPLES].tobytes()).decode(),
            }
        )
        for start in range(0, len(pcm) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]
    tasks = []
    for number in range(streams):
        delay = number * FRAME_S / streams if paced else 0.0
        tasks.append(_stream(host, model, frames, delay, paced))
    return list(await asyncio.gather(*tasks))


async def _stream(host: str, model: str, frames: list[str], delay: float, paced: bool) -> Stream:
    stream = Stream()
    url = f"ws://{host}/v1/realtime"
    async with connect(url, ping_interval=None, compression=None, max_queue=None) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "session.update", "model": model}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        await asyncio.sleep(delay)
        async with asyncio.TaskGroup() as group:
            group.create_task(_send(socket, frames, stream, paced))
            group.create_task(_receive(socket, stream))
    return stream


async def _send(socket: ClientConnection, frames: list[str], stream: Stream, paced: bool) -> None:
    start = time.monotonic()
    for number, frame in enumerate(frames):
        if paced:
            await asyncio.sleep(start + (number + 1) * FRAME_S - time.monotonic())
        stream.sent.append(time.monotonic())
        await socket.send(frame)
    await socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))


async def _receive(socket: ClientConnection, stream: Stream) -> None:
    number = 0
    async for message in socket:
        now = time.monotonic()
        event = json.loads(message)
        if event["type"] == "transcription.delta":
            if event["delta"]:
                stream.heard.append((number, now))
            number += 1
        elif event["type"] == "transcription.done":
            stream.frames = event["usage"]["completion_tokens"]
            stream.text = event["text"].strip()
            return
        else:
            raise RuntimeError(f"unexpected: {event}")
