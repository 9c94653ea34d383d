"""Transcribe a recording live with OpenAI's SDK: words are printed while it is played.

    pip install "openai[realtime]" soundfile
    python examples/openai_realtime.py talk.flac

The server is OPENAI_BASE_URL (default: http://127.0.0.1:8000/v1), the key OPENAI_API_KEY.
A microphone in place of the file changes `speak`, and nothing else.
"""

import asyncio
import base64
import os
import sys
from typing import Any

import soundfile
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionDeltaEvent,
    RealtimeErrorEvent,
)

FRAME_SECONDS = 0.04


async def speak(connection: AsyncRealtimeConnection, sound: soundfile.SoundFile) -> None:
    """Send the recording as it is heard, then end the turn."""
    frame = int(FRAME_SECONDS * sound.samplerate)
    for block in sound.blocks(frame, dtype="int16", always_2d=True):
        pcm = base64.b64encode(block[:, 0].tobytes()).decode()
        await connection.input_audio_buffer.append(audio=pcm)
        await asyncio.sleep(FRAME_SECONDS)
    await connection.input_audio_buffer.commit()


async def listen(connection: AsyncRealtimeConnection) -> None:
    """Print the words as they come, until the turn is final."""
    async for event in connection:
        match event:
            case ConversationItemInputAudioTranscriptionDeltaEvent():
                print(event.delta, end="", flush=True)
            case ConversationItemInputAudioTranscriptionCompletedEvent():
                print(f"\nfinal: {event.transcript}")
                return
            case RealtimeErrorEvent():
                sys.exit(event.error.message)


async def main(path: str) -> None:
    client = AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
    )
    with soundfile.SoundFile(path) as sound:
        # OpenAI takes 24 kHz alone; voxtide takes what the recording has.
        heard: Any = {"format": {"type": "audio/pcm", "rate": sound.samplerate}}
        async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
            await connection.session.update(
                session={"type": "transcription", "audio": {"input": heard}}
            )
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(speak(connection, sound))
                tasks.create_task(listen(connection))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
