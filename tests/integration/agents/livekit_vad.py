"""A detector of speech for LiveKit's plugins: who is louder than a whisper speaks.

It stands in for LiveKit's Silero, which listens in a thread of its own. On a busy machine that
is seconds behind the audio that the server gets, and turns end in the middle of later words.
"""

from __future__ import annotations

import numpy as np
from livekit import rtc
from livekit.agents import vad

WHISPER = 500  # as PCM16
SILENCE_S = 0.5
START, END = vad.VADEventType.START_OF_SPEECH, vad.VADEventType.END_OF_SPEECH


class Loudness(vad.VAD):
    """Ends speech after half a second in which nothing is loud."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.02))

    def stream(self) -> vad.VADStream:
        """For one conversation."""
        return _Stream(self)


class _Stream(vad.VADStream):
    async def _main_task(self) -> None:
        quiet_s, position = SILENCE_S, 0
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            spoke = quiet_s < SILENCE_S
            loud = np.abs(np.frombuffer(frame.data, "<i2").astype(int)).max() > WHISPER
            quiet_s = 0.0 if loud else quiet_s + frame.duration
            position += frame.samples_per_channel
            if spoke != (quiet_s < SILENCE_S):
                self._tell(END if spoke else START, position)

    def _tell(self, kind: vad.VADEventType, position: int) -> None:
        event = vad.VADEvent(kind, position, 0.0, speech_duration=0.0, silence_duration=0.0)
        self._event_ch.send_nowait(event)
