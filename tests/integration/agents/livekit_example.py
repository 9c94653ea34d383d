"""Speak to `examples/livekit_agent.py` without a room: `livekit_example.py WAV...`

The recordings are heard by the example's own session in place of a participant's track. It
prints what it always prints.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from conversation import RATE, Turns, speak
from livekit import rtc
from livekit.agents import Agent, UserInputTranscribedEvent, UserStateChangedEvent, utils
from livekit.agents.voice.io import AudioInput

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))
import livekit_agent


class Microphone(AudioInput):
    """Frames that are put into it."""

    def __init__(self) -> None:
        super().__init__(label="microphone")
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def push(self, frame: bytes) -> None:
        """Say a frame."""
        self._frames.put_nowait(frame)

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await self._frames.get()
        return rtc.AudioFrame(frame, RATE, 1, len(frame) // 2)


async def main(*paths: str) -> None:
    async with utils.http_context.open():
        session, microphone, turns = livekit_agent.transcriber(), Microphone(), Turns()

        @session.on("user_state_changed")
        def changed(event: UserStateChangedEvent) -> None:
            if event.new_state == "speaking":
                turns.begun()

        @session.on("user_input_transcribed")
        def heard(event: UserInputTranscribedEvent) -> None:
            if event.is_final:
                turns.final()

        session.input.audio = microphone
        await session.start(Agent(instructions=""))
        await speak(list(paths), microphone.push, turns)
        await session.aclose()


asyncio.run(main(*sys.argv[1:]))
