"""What the integration openai_stt_ha of Home Assistant sends, and what it takes from the answers,
with the settings of `examples/home_assistant.yaml`.

A command comes as PCM16 at 16 kHz in pieces, from when Home Assistant hears speech until it
hears none for a while. The integration streams it as it comes, in a format that is 24 kHz by
OpenAI's definition, so that it is heard too fast (docs/integrations.md). That is the
integration's mistake; what is tested here is the dialogue, with audio as the format says.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from websockets.asyncio.client import connect

from tests.conftest import Clip, Server
from tests.integration.audio import Pcm, pcm16

pytestmark = pytest.mark.integration

YAML = Path(__file__).parents[2] / "examples" / "home_assistant.yaml"
SURE = "voice-091-espeak-Marco"
STREAMED_RATE = 24_000
PIECE_BYTES = 960


@pytest.fixture
def settings(server: Server) -> dict[str, Any]:
    """The example's, but for the server's address, and the integration's defaults."""
    (settings,) = yaml.safe_load(YAML.read_text())["stt"]
    assert settings["platform"] == "openai_stt"
    assert settings["api_url"].endswith(":8000/v1")
    return {"prompt": "", "temperature": 0, **settings, "api_url": server.base_url}


@pytest.fixture
def clip(clips: list[Clip]) -> Clip:
    return next(clip for clip in clips if clip.path.stem == SURE)


async def test_a_command_as_a_file(settings: dict[str, Any], clip: Clip) -> None:
    """`realtime: false`."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(pcm16(clip.path).tobytes())
    form = {
        "file": ("whisper_audio.wav", sound.getvalue(), "audio/wav"),
        "model": (None, settings["model"]),
        "language": (None, "en"),
        "prompt": (None, settings["prompt"]),
        "temperature": (None, str(settings["temperature"])),
        "response_format": (None, "json"),
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{settings['api_url']}/audio/transcriptions",
            headers={"Authorization": f"Bearer {settings['api_key']}"},
            files=form,
            timeout=120,
        )
    assert (answer.status_code, answer.json()["text"]) == (200, clip.text)


async def command(settings: dict[str, Any], sound: Pcm, noise_reduction: str | None) -> str:
    """Stream a command as `realtime: true` does; the first final transcript counts."""
    # It waits for nothing before it sends its settings, nor before the audio.
    session = {
        "input_audio_format": "pcm16",
        "input_audio_transcription": {
            "model": settings["model"],
            "prompt": settings["prompt"],
            "language": "en",
        },
        "turn_detection": {"type": "server_vad"},
        "input_audio_noise_reduction": noise_reduction and {"type": noise_reduction},
    }
    headers = {
        "Authorization": f"Bearer {settings['api_key']}",
        "OpenAI-Beta": "realtime=v1",
    }
    url = f"{settings['api_url']}/realtime?intent=transcription".replace("http", "ws", 1)
    async with connect(url, additional_headers=headers) as socket:

        async def send(kind: str, **fields: Any) -> None:
            await socket.send(json.dumps({"type": kind, **fields}))

        async def speak() -> None:
            pcm = sound.tobytes()
            for at in range(0, len(pcm), PIECE_BYTES):
                audio = base64.b64encode(pcm[at : at + PIECE_BYTES]).decode()
                await send("input_audio_buffer.append", audio=audio)
                await asyncio.sleep(0)
            await send("input_audio_buffer.commit")

        await send("transcription_session.update", session=session)
        speaking = asyncio.create_task(speak())
        try:
            async for message in socket:
                event = json.loads(message)
                assert event["type"] != "error", event
                if event["type"] == "conversation.item.input_audio_transcription.completed":
                    return str(event["transcript"]).strip()
        finally:
            speaking.cancel()
    raise AssertionError("the connection was closed without a transcript")


@pytest.mark.parametrize("noise_reduction", [None, "far_field"])
async def test_a_command_streamed(
    settings: dict[str, Any], clip: Clip, noise_reduction: str | None
) -> None:
    sound = pcm16(clip.path, STREAMED_RATE)
    assert await command(settings, sound, noise_reduction) == clip.text


async def test_a_command_whose_end_voxtide_hears_first(
    settings: dict[str, Any], clip: Clip
) -> None:
    silence = np.zeros(4 * STREAMED_RATE, np.int16)
    sound = np.append(pcm16(clip.path, STREAMED_RATE), silence)
    assert await command(settings, sound, None) == clip.text
