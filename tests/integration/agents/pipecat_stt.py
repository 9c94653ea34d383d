"""Speak to a server through Pipecat's services: `pipecat_stt.py KIND URL MODEL WAV...`

KIND is `openai` or `mistral` (turns end where Pipecat's detector says), or `openai-server-vad`
(where the server says). Prints the frames that the service pushes into the pipeline.
"""

from __future__ import annotations

import asyncio
import sys

from conversation import RATE, Turns, speak, tell
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.audio.vad_processor import VADProcessor
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.mistral.stt import MistralSTTService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService
from pipecat.services.stt_service import STTService
from pipecat.workers.runner import WorkerRunner

SERVER_VAD = "openai-server-vad"
STARTS = (VADUserStartedSpeakingFrame, ProposedUserStartedSpeakingFrame)
"""Of speech, by Pipecat's own detection or by the server's."""
STOPS = (VADUserStoppedSpeakingFrame, ProposedUserStoppedSpeakingFrame)


def service(kind: str, url: str, model: str) -> STTService:
    """The service for a protocol."""
    if kind == "mistral":
        chosen = MistralSTTService.Settings(model=model)
        return MistralSTTService(api_key="none", base_url=url, settings=chosen)
    return OpenAIRealtimeSTTService(
        api_key="none",
        base_url=url,
        turn_detection={"type": "server_vad"} if kind == SERVER_VAD else False,
        settings=OpenAIRealtimeSTTService.Settings(model=model),
    )


class Listener(BaseObserver):
    """Prints what a service pushes."""

    def __init__(self, source: FrameProcessor, turns: Turns) -> None:
        super().__init__()
        self._source = source
        self._turns = turns

    async def on_push_frame(self, data: FramePushed) -> None:
        """Called for every frame on every way between two processors."""
        if data.source is self._source:
            self._tell(data.frame, data.direction)

    def _tell(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, ErrorFrame):
            tell("error", frame.error)
        elif direction is FrameDirection.UPSTREAM:
            return  # starts and stops go both ways
        elif isinstance(frame, STARTS):
            tell("start")
            self._turns.begun()
        elif isinstance(frame, STOPS):
            tell("stop")
        elif isinstance(frame, InterimTranscriptionFrame):
            tell("interim", frame.text)
        elif isinstance(frame, TranscriptionFrame):
            tell("final", frame.text)
            self._turns.final()


async def main(kind: str, url: str, model: str, *paths: str) -> None:
    recognizer, turns = service(kind, url, model), Turns()
    # On a busy machine a second without audio does not mean that the microphone is off.
    silero = VADProcessor(vad_analyzer=SileroVADAnalyzer(), audio_idle_timeout=0)
    detector = [] if kind == SERVER_VAD else [silero]
    worker = PipelineWorker(
        Pipeline([*detector, recognizer]),
        cancel_on_idle_timeout=False,
        params=PipelineParams(audio_in_sample_rate=RATE),
        observers=[Listener(recognizer, turns)],
    )
    started = asyncio.Event()

    @worker.event_handler("on_pipeline_started")
    async def on_pipeline_started(*_: object) -> None:
        started.set()

    async def push(frame: bytes) -> None:
        await worker.queue_frame(InputAudioRawFrame(frame, RATE, 1))

    async def talk() -> None:
        await started.wait()
        await speak(list(paths), push, turns)
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner()
    await runner.add_workers(worker)
    await asyncio.gather(runner.run(), talk())


asyncio.run(main(*sys.argv[1:]))
