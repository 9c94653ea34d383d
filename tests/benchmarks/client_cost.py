"""CPU time of a live client for each second of audio: voxtide's beside other SDKs.

    python -m tests.benchmarks.client_cost --base-url http://127.0.0.1:8000/v1

Each client streams the same audio to the same server in chunks of 80 ms, in real time, in a
process of its own, and reads everything that it is told until the final transcript. Counted is
user and system time of that process, all threads, from the opening of the connection to the last
event; imports are not. The clients take turns, so that what else the machine does hits all.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import soundfile

AUDIO = Path(__file__).parents[1] / "fixtures" / "nano" / "demo-piper-joe.flac"
CHUNK = 2 * 1280
CHUNK_S = 0.08


def audio(seconds: int) -> bytes:
    """So many seconds of speech, PCM16 at 16 kHz."""
    samples, _ = soundfile.read(AUDIO, dtype="int16")
    pcm: bytes = samples.tobytes()
    return (pcm * (1 + seconds * 32_000 // len(pcm)))[: seconds * 32_000]


def chunks(pcm: bytes) -> Iterator[bytes]:
    """In real time, for a thread."""
    began = time.monotonic()
    for number, at in enumerate(range(0, len(pcm), CHUNK), 1):
        time.sleep(max(0.0, began + number * CHUNK_S - time.monotonic()))
        yield pcm[at : at + CHUNK]


async def achunks(pcm: bytes) -> AsyncIterator[bytes]:
    """In real time, for a task."""
    began = time.monotonic()
    for number, at in enumerate(range(0, len(pcm), CHUNK), 1):
        await asyncio.sleep(began + number * CHUNK_S - time.monotonic())
        yield pcm[at : at + CHUNK]


SESSION: Any = {
    "type": "transcription",
    "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}, "turn_detection": None}},
}
COMPLETED = "conversation.item.input_audio_transcription.completed"


async def voxtide_async(base_url: str, pcm: bytes) -> str:
    import voxtide

    async with voxtide.AsyncClient(base_url).stream() as session:

        async def speak() -> None:
            async for chunk in achunks(pcm):
                await session.feed(chunk)
            await session.finish()

        speaking = asyncio.create_task(speak())
        finals = [event.text async for event in session if isinstance(event, voxtide.Final)]
        await speaking
        return finals[0]


def voxtide_sync(base_url: str, pcm: bytes) -> str:
    import voxtide

    with voxtide.Client(base_url).stream() as session:

        def speak() -> None:
            for chunk in chunks(pcm):
                session.feed(chunk)
            session.finish()

        speaker = threading.Thread(target=speak)
        speaker.start()
        finals = [event.text for event in session if isinstance(event, voxtide.Final)]
        speaker.join()
        return finals[0]


async def openai_async(base_url: str, pcm: bytes) -> str:
    from openai import AsyncOpenAI

    async with (
        AsyncOpenAI(base_url=base_url, api_key="none") as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        await connection.session.update(session=SESSION)

        async def speak() -> None:
            async for chunk in achunks(pcm):
                encoded = base64.b64encode(chunk).decode()
                await connection.input_audio_buffer.append(audio=encoded)
            await connection.input_audio_buffer.commit()

        speaking = asyncio.create_task(speak())
        async for event in connection:
            if event.type == COMPLETED:
                await speaking
                return event.transcript
    return ""


def openai_sync(base_url: str, pcm: bytes) -> str:
    from openai import OpenAI

    with (
        OpenAI(base_url=base_url, api_key="none") as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        connection.session.update(session=SESSION)

        def speak() -> None:
            for chunk in chunks(pcm):
                connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
            connection.input_audio_buffer.commit()

        speaker = threading.Thread(target=speak)
        speaker.start()
        for event in connection:
            if event.type == COMPLETED:
                speaker.join()
                return event.transcript
    return ""


async def mistral_async(base_url: str, pcm: bytes) -> str:
    from mistralai.client import Mistral
    from mistralai.client.models import AudioFormat

    form = AudioFormat(encoding="pcm_s16le", sample_rate=16000)
    with Mistral(api_key="none", server_url=base_url.removesuffix("/v1")) as client:
        stream = client.audio.realtime.transcribe_stream(achunks(pcm), "nano", form)
        return [e async for e in stream][-1].text  # type: ignore[union-attr]


Runner = Callable[[str, bytes], "str | Awaitable[str]"]
CLIENTS: dict[str, Runner] = {
    "voxtide, asyncio": voxtide_async,
    "openai, asyncio": openai_async,
    "mistralai, asyncio": mistral_async,
    "voxtide, blocking": voxtide_sync,
    "openai, blocking": openai_sync,
}


def measured(name: str, base_url: str, seconds: int) -> dict[str, Any]:
    """One client, in this process: what it heard and what it cost."""
    runner = CLIENTS[name]

    def once(pcm: bytes) -> str:
        if asyncio.iscoroutinefunction(runner):
            return asyncio.run(runner(base_url, pcm))
        return str(runner(base_url, pcm))

    once(audio(2))  # whatever is imported and made on first use
    before = time.process_time()
    text = once(audio(seconds))
    return {"ms": (time.process_time() - before) * 1000 / seconds, "text": text}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url", default="http://127.0.0.1:8000/v1")
    parser.add_argument("--seconds", type=int, default=30, help="of audio for each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CLIENTS, help="run this one here and print JSON")
    args = parser.parse_args()
    if args.only:
        print(json.dumps(measured(args.only, args.base_url, args.seconds)))
        return
    costs: dict[str, list[float]] = {name: [] for name in CLIENTS}
    texts = set()
    for _ in range(args.rounds):
        for name in CLIENTS:
            command = [sys.executable, "-m", "tests.benchmarks.client_cost", "--only", name]
            command += ["--base-url", args.base_url, "--seconds", str(args.seconds)]
            row = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            costs[name].append(row["ms"])
            texts.add(row["text"])
    print("| client | CPU, ms for each second of audio (median) | rounds |\n|---|---|---|")
    for name, values in costs.items():
        rounds = ", ".join(f"{value:.2f}" for value in values)
        print(f"| {name} | {statistics.median(values):.2f} | {rounds} |")
    print(f"\n{len(texts)} different transcript(s)")


if __name__ == "__main__":
    main()
