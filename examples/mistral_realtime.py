"""Transcribe recordings live with Mistral's SDK, one after another in one session: each is a turn.

    pip install "mistralai[realtime]" soundfile
    python examples/mistral_realtime.py first.wav second.wav

The server is VOXTIDE_BASE_URL (default: http://127.0.0.1:8000/v1), the key VOXTIDE_API_KEY, the
model VOXTIDE_MODEL (default: nano). All recordings have the sample rate of the first.
"""

import asyncio
import os
import sys

import soundfile
from mistralai.client import Mistral
from mistralai.client.models import (
    AudioFormat,
    RealtimeTranscriptionError,
    TranscriptionStreamDone,
    TranscriptionStreamTextDelta,
)
from mistralai.extra.realtime import RealtimeConnection

FRAME_SECONDS = 0.04


async def speak(connection: RealtimeConnection, paths: list[str]) -> None:
    """Send the recordings as they are heard; a flush ends a turn."""
    for path in paths:
        with soundfile.SoundFile(path) as sound:
            frame = int(FRAME_SECONDS * sound.samplerate)
            for block in sound.blocks(frame, dtype="int16", always_2d=True):
                await connection.send_audio(block[:, 0].tobytes())
                await asyncio.sleep(FRAME_SECONDS)
        await connection.flush_audio()
    await connection.end_audio()


async def listen(connection: RealtimeConnection) -> None:
    """Print the words as they come, and each turn once it is final.

    One loop for the whole session: the SDK closes the connection with the iterator.
    """
    async for event in connection:
        match event:
            case TranscriptionStreamTextDelta():
                print(event.text, end="", flush=True)
            case TranscriptionStreamDone():
                print(f"\nfinal: {event.text}")
            case RealtimeTranscriptionError():
                sys.exit(str(event.error.message))


async def main(paths: list[str]) -> None:
    url = os.environ.get("VOXTIDE_BASE_URL", "http://127.0.0.1:8000/v1")
    client = Mistral(
        server_url=url.removesuffix("/v1"), api_key=os.environ.get("VOXTIDE_API_KEY", "none")
    )
    connection = await client.audio.realtime.connect(
        os.environ.get("VOXTIDE_MODEL", "nano"),
        audio_format=AudioFormat(
            encoding="pcm_s16le", sample_rate=soundfile.info(paths[0]).samplerate
        ),
    )
    async with connection, asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(connection, paths))
        tasks.create_task(listen(connection))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
