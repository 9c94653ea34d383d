"""Clients that send anything or vanish, while others speak, to a real engine."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from websockets.sync.client import connect

from tests.conftest import Clip, Server
from tests.fakes.fuzz import SHAKE, Frame, Json, exchange, frame, frames, given_as
from tests.integration.audio import Pcm, base64_pieces, pcm16
from tests.integration.live import eventually, gauge, session
from tests.integration.test_containment import SURE, memory

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

GROWTH = 100 << 20
"""Bytes that the server may be larger after all of this: much less than what it was sent
and told to keep, more than Python keeps of what is freed."""
PATHS = {
    "openai": "/v1/realtime?intent=transcription",
    "mistral": "/v1/audio/transcriptions/realtime",
    "vllm": "/v1/realtime",
}


async def test_nothing_is_left_of_clients_that_send_anything_or_vanish(
    server: Server, clips: list[Clip]
) -> None:
    sure = [clip for clip in clips if clip.path.stem in SURE]
    for clip in sure:
        assert await transcript(server, clip) == clip.text
    before = memory(server)
    going = True

    async def speak() -> int:
        """A normal client after another; how many there were."""
        number = 0
        while going or not number:
            clip = sure[number % len(sure)]
            assert await transcript(server, clip, paced=True) == clip.text
            number += 1
        return number

    speaking = asyncio.create_task(speak())
    for dialect in PATHS:
        await asyncio.to_thread(send_anything, server, dialect)
    await come_and_leave(server, pcm16(clips[0].path))
    going = False
    assert await speaking
    await eventually(server, "vllm:num_requests_running", 0)
    await eventually(server, "vllm:num_requests_waiting", 0)
    for name in ("voxtide_sessions", "voxtide_requests", "voxtide_backlog_seconds"):
        await eventually(server, name, 0)
    assert await gauge(server, "vllm:kv_cache_usage_perc") == 0
    for clip in sure:
        assert await transcript(server, clip) == clip.text
    assert memory(server) - before < GROWTH


async def transcript(server: Server, clip: Clip, *, paced: bool = False) -> str:
    async with session(server) as live:
        await live.say(pcm16(clip.path), paced=paced)
        await live.commit()
        return await live.transcript()


# ---- messages ----------------------------------------------------------------------

ENDS: dict[str, list[Json]] = {
    "openai": [{"type": "input_audio_buffer.commit"}],
    "mistral": [{"type": "input_audio.flush"}, {"type": "input_audio.end"}],
    "vllm": [
        {"type": "session.update", "model": "nano"},
        {"type": "input_audio_buffer.commit", "final": True},
    ],
}


def send_anything(server: Server, dialect: str) -> None:
    """Sessions of which every message is generated, and every commit is answered."""
    last = [json.dumps(message) for message in ENDS[dialect]]

    @settings(derandomize=True, database=None, max_examples=25)
    @given(frames(dialect))
    def survives(sent: list[Frame]) -> None:
        everything = [*sent, *last]
        if dialect == "vllm":  # or another would be spoken
            everything.insert(0, last[0])
        asked = sum(commits(given_as(one), dialect) for one in everything)
        with connect(f"ws://{server.host}{PATHS[dialect]}", max_size=None) as client:
            messages = exchange(client, everything, enough(asked if dialect != "mistral" else 0))
        assert sum(map(final, messages)) >= asked

    survives()


def commits(message: Json, dialect: str) -> bool:
    """Whether a message of a client has to be answered by a final transcript."""
    if dialect == "mistral":
        return bool(message.get("type") == "input_audio.flush")
    commit = message.get("type") == "input_audio_buffer.commit"
    return commit and (dialect == "openai" or message.get("final") is True)


def final(message: Json) -> bool:
    return str(message["type"]).endswith(("transcription.completed", "transcription.done"))


def enough(most: int) -> Callable[[Json], bool]:
    """Whether so many transcripts are final; if it is none, the server has to close."""
    count = 0

    def end(message: Json) -> bool:
        nonlocal count
        count += final(message)
        return 0 < most <= count

    return end


# ---- clients that leave --------------------------------------------------------------


async def come_and_leave(server: Server, pcm: Pcm) -> None:
    """200 connections that end in the handshake, after it, in the audio, after a commit."""
    chance = random.Random(7)
    host, port = server.host.split(":")
    form = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}}
    spoken = json.dumps({"type": "session.update", "session": form}).encode()
    appended = [
        json.dumps({"type": "input_audio_buffer.append", "audio": piece}).encode()
        for piece in base64_pieces(pcm, 12_800)
    ][:3]
    commit = b'{"type": "input_audio_buffer.commit"}'
    whole = b"".join(frame(1, message) for message in (spoken, *appended, commit))
    upload = (
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + pcm[:10_000].tobytes()
    )

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        raw = writer.get_extra_info("socket")
        if chance.random() < 0.5:  # with a reset instead of a farewell
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        match number % 5:
            case 0:
                writer.write(SHAKE[: chance.randrange(len(SHAKE))])
            case 1:
                writer.write(SHAKE)
            case 2:
                writer.write(upload[: chance.randrange(len(upload))])
            case kind:
                writer.write(SHAKE)
                await reader.readuntil(b"\r\n\r\n")
                writer.write(whole if kind == 3 else whole[: chance.randrange(len(whole))])
        with suppress(ConnectionError):
            await writer.drain()
            await asyncio.sleep(chance.random() / 5)
            writer.close()
            await writer.wait_closed()

    for start in range(0, 200, 20):
        await asyncio.gather(*(one(start + number) for number in range(20)))
