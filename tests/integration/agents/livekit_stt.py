"""Speak to a server through LiveKit's plugins: `livekit_stt.py KIND URL MODEL WAV...`

KIND is `openai` (turns end where the server says) or `mistral` (where a detector of speech says).
Prints LiveKit's speech events, and `error` where the plugin reports one.
"""

from __future__ import annotations

import asyncio
import sys

from conversation import RATE, Turns, speak, tell
from livekit import rtc
from livekit.agents import stt, utils
from livekit.plugins import mistralai, openai
from livekit_vad import Loudness
from mistralai.client import Mistral


def plugin(kind: str, url: str, model: str) -> stt.STT:
    """The plugin for a protocol."""
    if kind == "openai":
        return openai.STT(use_realtime=True, base_url=url, api_key="none", model=model)
    client = Mistral(api_key="none", server_url=url)
    return mistralai.STT(client=client, model=model, vad=Loudness())


async def listen(stream: stt.RecognizeStream, turns: Turns) -> None:
    """Print events until the stream ends."""
    async for event in stream:
        tell(event.type, event.alternatives[0].text if event.alternatives else "")
        if event.type == stt.SpeechEventType.START_OF_SPEECH:
            turns.begun()
        elif event.type == stt.SpeechEventType.RECOGNITION_USAGE:  # follows each final one
            turns.final()


async def main(kind: str, url: str, model: str, *paths: str) -> None:
    async with utils.http_context.open():
        recognizer = plugin(kind, url, model)
        recognizer.on("error", lambda error: tell("error", str(error.error)))
        turns = Turns()
        async with recognizer.stream() as stream:
            listening = asyncio.create_task(listen(stream, turns))

            async def push(frame: bytes) -> None:
                if listening.done():  # the stream has died of an error: tell which
                    await listening
                stream.push_frame(rtc.AudioFrame(frame, RATE, 1, len(frame) // 2))

            await speak(list(paths), push, turns)
            stream.end_input()
            if kind == "mistral":  # OpenAI's protocol has no end: the stream is closed
                await listening
        await asyncio.gather(listening, return_exceptions=True)
        await recognizer.aclose()


asyncio.run(main(*sys.argv[1:]))
