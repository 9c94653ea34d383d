"""A server on loopback that says how many samples it was sent, by either endpoint."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import soundfile
from websockets.asyncio.server import ServerConnection

from tests.client import fakes
from tests.client.fake_service import Page, say, service

MODELS = json.dumps({"data": [{"id": "nano"}]})
METRICS = 'voxtide_build_info{version="0.1.0",vllm="0.32.0"} 1.0\n'
SESSION = {"audio": {"input": {"transcription": {"delay_ms": 480}}}}
_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_ROUTE = "/v1/realtime?intent=transcription"


def listing(folder: Path, count: int = 5) -> Path:
    """A dataset of which utterance n is 1,000 + n samples, and says so."""
    rows = []
    for number in range(1_000, 1_000 + count):
        soundfile.write(folder / f"{number}.wav", np.ones(number, np.int16), 16_000)
        rows.append({"audio": f"{number}.wav", "text": f"{number} samples"})
    path = folder / "counting.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@asynccontextmanager
async def counting(
    fails: set[str], metrics: str = METRICS, delay_ms: int = 480
) -> AsyncIterator[fakes.FakeServer]:
    """The realtime endpoint.

    Args:
        fails: answers for which there is an error instead; it may change.
    """
    delayed = {"audio": {"input": {"transcription": {"delay_ms": delay_ms}}}}

    async def talk(connection: ServerConnection) -> None:
        await say(connection, type="session.created", session=delayed)
        await connection.recv()
        await say(connection, type="session.updated", session=delayed)
        samples = 0
        async for message in connection:
            if json.loads(message)["type"] == "input_audio_buffer.commit":
                await _answer(connection, f"{samples} samples", fails)
            else:
                samples += len(base64.b64decode(json.loads(message)["audio"])) // 2

    pages: dict[str, Page] = {"/v1/models": MODELS, "/metrics": metrics}
    async with service(pages, {_ROUTE: talk}) as url:
        yield fakes.FakeServer(url)


async def _answer(connection: ServerConnection, text: str, fails: set[str]) -> None:
    if text in fails:
        error = {"code": "engine_failed", "message": "It was lost."}
        await say(connection, type="error", error=error)
        return
    await say(connection, type="input_audio_buffer.committed", item_id="i")
    await say(connection, type=f"{_TRANSCRIPTION}.delta", item_id="i", delta=f" {text}")
    words = [{"word": word, "start": 0.0, "end": 0.08} for word in text.split()]
    await say(
        connection,
        type=f"{_TRANSCRIPTION}.completed",
        item_id="i",
        transcript=text,
        words=words,
        start=0.0,
        end=0.08,
    )


def _of_a_file(form: fakes.Form) -> fakes.Answer:
    samples = soundfile.info(io.BytesIO(form.content)).frames
    return 200, json.dumps({"text": f"{samples} samples"})


@contextmanager
def files() -> Iterator[fakes.FakeServer]:
    """The file endpoint, of a server that nobody knows."""
    with fakes.in_thread(fakes.files(_of_a_file, pages={"/v1/models": MODELS})) as fake:
        yield fake
