"""The load: streams in vLLM's own dialect, which both servers speak."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect

from ..engine import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE
from .servers import Server


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


@dataclass(frozen=True)
class Clip:
    """Audio that every server is given.

    Attributes:
        pcm: 16 kHz, a whole number of frames, silent for a second at the end.
        spoken: the frames whose tokens have text, in stock vLLM's count.
    """

    pcm: NDArray[np.int16]
    spoken: tuple[int, ...] = ()

    @property
    def frames(self) -> int:
        """Frames of audio, 80 ms each."""
        return len(self.pcm) // FRAME_SAMPLES

    def needed(self, number: int, delay_ms: int) -> int:
        """The last frame that has to be sent before the token of a text can come."""
        # The delay, and a frame for the look-ahead of 40 samples.
        return min(self.spoken[number] + delay_ms // 80 + 1, self.frames - 1)

    def lasting(self, seconds: float) -> Clip:
        """This clip, over and over, for so long at least."""
        times = math.ceil(seconds / (self.frames * FRAME_S))
        spoken = [at + n * self.frames for n in range(times) for at in self.spoken]
        return Clip(np.tile(self.pcm, times), tuple(spoken))


def clip(pcm: NDArray[np.int16]) -> Clip:
    """Audio of any length with silence after it."""
    frames = math.ceil((len(pcm) + SAMPLE_RATE) / FRAME_SAMPLES)
    return Clip(np.pad(pcm, (0, frames * FRAME_SAMPLES - len(pcm))))


async def run(
    server: Server,
    audio: Clip,
    streams: int,
    *,
    paced: bool,
    patience_s: float = 3600.0,
    keys: Sequence[str] = ("none",),
) -> list[Stream]:
    """Run streams side by side, each over its own connection.

    Args:
        server: that hears them.
        audio: the same for every stream.
        streams: how many.
        paced: in real time, their starts spread over a frame; else as fast as it goes.
        patience_s: how far a paced server may fall behind, where `audio.spoken` is known.
        keys: that the streams show in turn.

    Raises:
        TooSlow: it fell further behind.
    """
    messages = [append(audio.pcm[at : at + FRAME_SAMPLES]) for at in _starts(audio)]
    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(streams):
                wait = number * FRAME_S / streams if paced else 0.0
                key = keys[number % len(keys)]
                one = _stream(server, audio, messages, wait, paced, patience_s, key)
                tasks.append(group.create_task(one))
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    return [task.result() for task in tasks]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


class TooSlow(Exception):
    """A server does not keep up with its streams."""


def _starts(audio: Clip) -> range:
    return range(0, len(audio.pcm), FRAME_SAMPLES)


def append(pcm: NDArray[np.int16]) -> str:
    """The message that carries some audio."""
    audio = base64.b64encode(pcm.tobytes()).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": audio})


@asynccontextmanager
async def opened(server: Server, key: str = "none") -> AsyncIterator[ClientConnection]:
    """A connection on which a generation has been started."""
    async with connect(
        f"ws://{server.host}/v1/realtime",
        additional_headers={"Authorization": f"Bearer {key}"},
        ping_interval=None,
        compression=None,
        max_queue=None,
    ) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "session.update", "model": server.model}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        yield socket


async def _stream(
    server: Server,
    audio: Clip,
    messages: list[str],
    wait: float,
    paced: bool,
    patience_s: float,
    key: str,
) -> Stream:
    stream = Stream()
    async with opened(server, key) as socket:
        await asyncio.sleep(wait)
        async with asyncio.TaskGroup() as group:
            group.create_task(_send(socket, messages, stream, paced))
            group.create_task(_receive(socket, stream, server, audio, paced, patience_s))
    return stream


async def _send(socket: ClientConnection, messages: list[str], stream: Stream, paced: bool) -> None:
    start = time.monotonic()
    for number, message in enumerate(messages):
        if paced:
            await asyncio.sleep(start + (number + 1) * FRAME_S - time.monotonic())
        stream.sent.append(time.monotonic())
        await socket.send(message)
    await socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))


async def _receive(
    socket: ClientConnection,
    stream: Stream,
    server: Server,
    audio: Clip,
    paced: bool,
    patience_s: float,
) -> None:
    number = 0
    deadline = time.monotonic() + (audio.frames * FRAME_S if paced else 0.0) + patience_s
    while True:
        try:
            async with asyncio.timeout_at(_loop_time(deadline)):
                event = json.loads(await socket.recv())
        except TimeoutError:
            raise TooSlow from None
        now = time.monotonic()
        if event["type"] == "transcription.delta":
            if event["delta"]:
                words = len(stream.heard)
                stream.heard.append((number, now))
                if paced and words < len(audio.spoken):
                    needed = audio.needed(words, server.delay_ms)
                    if needed < len(stream.sent) and now - stream.sent[needed] > patience_s:
                        raise TooSlow
            number += 1
        elif event["type"] == "transcription.done":
            stream.frames = event["usage"]["completion_tokens"]
            stream.text = event["text"].strip()
            return
        else:
            raise RuntimeError(f"unexpected: {event}")


def _loop_time(monotonic: float) -> float:
    return asyncio.get_running_loop().time() + monotonic - time.monotonic()
