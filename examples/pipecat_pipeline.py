"""A Pipecat pipeline with voxtide as its ears: plays a recording into it and prints each turn.

    pip install "pipecat-ai[openai]"
    python examples/pipecat_pipeline.py talk.wav

The recording is a WAV file of PCM16, mono.  In a bot, the input of a transport stands before
`ears()` in place of `play`, and a context aggregator, an LLM and a voice come after it.

The server is VOXTIDE_BASE_URL (default: http://127.0.0.1:8000/v1), the key VOXTIDE_API_KEY, the
model VOXTIDE_MODEL (default: nano).
"""

import asyncio
import os
import sys
import wave

from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    ProposedUserStartedSpeakingFrame,
    TranscriptionFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.stt import OpenAIRealtimeSTTService
from pipecat.workers.runner import WorkerRunner

FRAME_SECONDS = 0.02
PAUSE_SECONDS = 2.0


def ears() -> OpenAIRealtimeSTTService:
    """Voxtide, which tells where a turn begins and ends as well."""
    base_url = os.environ.get("VOXTIDE_BASE_URL", "http://127.0.0.1:8000/v1")
    return OpenAIRealtimeSTTService(
        base_url=f"ws{base_url.removeprefix('http')}/realtime",
        api_key=os.environ.get("VOXTIDE_API_KEY", "none"),
        turn_detection={"type": "server_vad"},
        settings=OpenAIRealtimeSTTService.Settings(model=os.environ.get("VOXTIDE_MODEL", "nano")),
    )


class Printer(FrameProcessor):
    """Prints each turn; `quiet` is set while none is open."""

    def __init__(self) -> None:
        super().__init__()
        self.quiet = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, ProposedUserStartedSpeakingFrame):
            self.quiet.clear()
        elif isinstance(frame, TranscriptionFrame):
            print(frame.text, flush=True)
            self.quiet.set()
        await self.push_frame(frame, direction)


async def play(sound: wave.Wave_read, worker: PipelineWorker, quiet: asyncio.Event) -> None:
    """Put the recording in as a microphone would, then silence until the last turn is final."""
    rate = sound.getframerate()
    samples = int(FRAME_SECONDS * rate)

    async def hear(pcm: bytes) -> None:
        await worker.queue_frame(InputAudioRawFrame(pcm, rate, 1))
        await asyncio.sleep(FRAME_SECONDS)

    while pcm := sound.readframes(samples):
        await hear(pcm)
    for _ in range(int(PAUSE_SECONDS / FRAME_SECONDS)):
        await hear(bytes(2 * samples))
    while not quiet.is_set():
        await hear(bytes(2 * samples))
    await worker.queue_frame(EndFrame())


async def main(path: str) -> None:
    with wave.open(path) as sound:
        printer = Printer()
        worker = PipelineWorker(
            Pipeline([ears(), printer]),
            params=PipelineParams(audio_in_sample_rate=sound.getframerate()),
        )
        runner = WorkerRunner()
        await runner.add_workers(worker)
        await asyncio.gather(runner.run(), play(sound, worker, printer.quiet))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
