"""The same audio gives the same words, whichever way it comes in."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

import voxtide
from tests.conftest import Clip, Server, load_clips
from tests.integration.audio import Pcm, base64_pieces, pcm16

pytestmark = pytest.mark.integration


def from_file(server: Server, path: Path) -> str:
    response = httpx.post(
        f"{server.base_url}/audio/transcriptions",
        files={"file": path.read_bytes()},
        data={"model": "nano"},
        timeout=120,
    )
    text: str = response.raise_for_status().json()["text"]
    return text


def from_vllm_dialect(server: Server, pcm: Pcm, samples: int) -> str:
    with connect(f"ws://{server.host}/v1/realtime") as socket:
        created = json.loads(socket.recv())
        assert (created["type"], type(created["created"])) == ("session.created", int)
        socket.send(json.dumps({"type": "session.update", "model": "nano"}))
        socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": False}))
        for piece in base64_pieces(pcm, samples):
            socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": piece}))
        socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))
        deltas = []
        while True:
            message: dict[str, Any] = json.loads(socket.recv(timeout=60))
            if message["type"] == "transcription.delta":
                deltas.append(message["delta"])
            if message["type"] == "transcription.done":
                assert "".join(deltas).strip() == message["text"]
                return str(message["text"])


@pytest.mark.parametrize("clip", load_clips(), ids=lambda clip: clip.path.stem)
def test_known_good_clips_are_heard_exactly(server: Server, clip: Clip) -> None:
    assert from_file(server, clip.path) == clip.text
    assert from_vllm_dialect(server, pcm16(clip.path), samples=1_280) == clip.text


async def test_real_time_gives_the_text_of_the_file(server: Server) -> None:
    """All known-good clips at once, paced as a microphone would, in OpenAI's dialect."""
    client = voxtide.AsyncClient(server.base_url)

    async def live(clip: Clip) -> str:
        pcm = pcm16(clip.path)
        async with client.stream(sample_rate=16_000) as session:
            start = time.monotonic()
            for number, at in enumerate(range(0, len(pcm), 1_280), 1):
                await asyncio.sleep(start + number * 0.08 - time.monotonic())
                await session.feed(pcm[at : at + 1_280])
            await session.finish()
            finals = [event.text async for event in session if isinstance(event, voxtide.Final)]
        assert len(finals) == 1
        return finals[0]

    clips = load_clips()
    assert await asyncio.gather(*map(live, clips)) == [clip.text for clip in clips]


def test_text_does_not_depend_on_the_pieces(server: Server, clips: list[Clip]) -> None:
    pcm = pcm16(clips[1].path)
    for samples in (100, 1_281, 16_000, len(pcm)):
        assert from_vllm_dialect(server, pcm, samples) == clips[1].text


def test_utterances_may_be_pipelined(server: Server, clips: list[Clip]) -> None:
    """Stock vLLM loses the second one."""
    with connect(f"ws://{server.host}/v1/realtime") as socket:
        socket.send(json.dumps({"type": "session.update", "model": "nano"}))
        for clip in clips[:3]:
            for piece in base64_pieces(pcm16(clip.path), 16_000):
                socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": piece}))
            socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))
        texts = []
        while len(texts) < 3:
            message = json.loads(socket.recv(timeout=60))
            if message["type"] == "transcription.done":
                texts.append(message["text"])
    assert texts == [clip.text for clip in clips[:3]]


def test_silence_and_noise_bring_no_words(server: Server) -> None:
    seconds = 60
    noise = np.random.default_rng(7).normal(0, 0.05, seconds * 16_000)
    white: Pcm = (noise * 32767).clip(-32768, 32767).astype(np.int16)
    assert from_vllm_dialect(server, white, 16_000) == ""
    assert from_vllm_dialect(server, np.zeros(seconds * 16_000, np.int16), 16_000) == ""
