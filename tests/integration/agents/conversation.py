"""What the scripts for all frameworks share: a person who speaks into a microphone, and what
comes back as lines of JSON.

They run in environments of their own, which have neither voxtide nor pytest. The plugins are
made as their documentation says, but for the server's address and, in LiveKit's for Mistral,
for what detects speech.
"""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Awaitable, Callable, Iterator

RATE = 16_000
FRAME_SAMPLES = 320  # 20 ms, as WebRTC has it
SILENCE = bytes(2 * FRAME_SAMPLES)
PAUSE_S = 2.0
"""Silence after a recording, longer than any that ends a turn by the plugins' defaults."""


def tell(event: str, text: str = "") -> None:
    """Print what the plugin gave: one line for the test to read."""
    print(json.dumps({"event": event, "text": text}), flush=True)


class Turns:
    """Turns that have begun and are not final yet."""

    def __init__(self) -> None:
        self._open = 0

    def begun(self) -> None:
        """Somebody speaks."""
        self._open += 1

    def final(self) -> None:
        """Their words are there, or there are none."""
        self._open -= 1

    @property
    def all_final(self) -> bool:
        """Whether nothing is to be waited for."""
        return self._open <= 0


async def speak(paths: list[str], push: Callable[[bytes], Awaitable[None]], turns: Turns) -> None:
    """Say recordings in real time, each with a pause after it that lasts until its turn is
    final. The microphone stays open meanwhile.

    Args:
        paths: WAV files of PCM16, 16 kHz, mono.
        push: gives the plugin a frame of 20 ms.
        turns: what the plugin has told so far.
    """

    async def say(frame: bytes) -> None:
        await push(frame)
        # What a busy machine is late with is not made up for: a microphone sends no bursts.
        await asyncio.sleep(FRAME_SAMPLES / RATE)

    for path in paths:
        for frame in _frames(path):
            await say(frame)
        for _ in range(round(PAUSE_S * RATE / FRAME_SAMPLES)):
            await say(SILENCE)
        while not turns.all_final:
            await say(SILENCE)


def _frames(path: str) -> Iterator[bytes]:
    with wave.open(path) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        while frame := sound.readframes(FRAME_SAMPLES):
            yield frame.ljust(len(SILENCE), b"\0")
