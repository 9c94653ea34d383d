"""What a resumed session hears, with and without the audio that led there.

    python -m tests.benchmarks.resume_context --base-url http://127.0.0.1:8000/v1

The three minutes of tests/integration/test_resume.py are heard once, turn by turn, and each
position that the server acknowledges within a turn is noted. From each of them another session
goes on for 8 s, with so many seconds before it as context. Counted are those whose words are not
the ones that the whole turn has there; the last two, which the end of the audio may have cut, are
not looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from websockets.asyncio.client import connect

from tests.conftest import load_clips
from tests.integration.audio import Pcm, base64_pieces
from tests.integration.talk import FRAME, Talk, three_minutes

RATE = 16_000
AHEAD = 8 * RATE
AT_ONCE = 8


@dataclass(frozen=True)
class Place:
    """A position in the audio of a turn, in samples, and the words after it."""

    pcm: Pcm
    position: int
    words: list[str]


async def events(url: str, pcm: Pcm, **session: Any) -> list[dict[str, Any]]:
    """What a session says of one turn."""
    form = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": RATE}}}}
    told: list[dict[str, Any]] = []
    async with connect(url, ping_interval=None) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": form | session}))
        for piece in base64_pieces(pcm):
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": piece}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        while not told or not told[-1]["type"].endswith(("completed", "failed", "error")):
            told.append(json.loads(await socket.recv()))
    if "transcript" not in told[-1]:
        raise SystemExit(f"the server said: {told[-1]}")
    return told


def turns(talk: Talk) -> list[Pcm]:
    """The audio of each turn."""
    ends = [(frame + 1) * FRAME for frame in sorted(talk.flushes)]
    starts = [0, *ends]
    bounds = zip(starts, [*ends, len(talk.pcm)], strict=True)
    return [np.frombuffer(talk.pcm[start:end], "<i2") for start, end in bounds]


async def places(url: str, pcm: Pcm) -> list[Place]:
    """Where another session might go on within a turn."""
    told = await events(url, pcm, acknowledge=True)
    words, found, before = told[-1]["transcript"].split(), [], 0
    for event in told:
        if event["type"] == "session.acknowledged" and event["item_id"] is not None:
            before += len(event["words"])
            found.append(Place(pcm, round(event["position"] * RATE), words[before:]))
    return found


async def differs(url: str, place: Place, context_s: float) -> bool:
    """Whether a session that goes on there hears other words."""
    start = max(0, place.position - round(context_s * RATE))
    resume = {
        "at": start / RATE,
        "turn_start": 0.0,
        "words_after": place.position / RATE,
    }
    told = await events(url, place.pcm[start : place.position + AHEAD], resume=resume)
    heard = told[-1]["transcript"].split()
    sure = min(len(heard) - 2, len(place.words))
    return bool(heard[: max(0, sure)] != place.words[: max(0, sure)])


async def main(base_url: str, contexts: list[float]) -> None:
    url = f"ws{base_url.removeprefix('http')}/realtime?intent=transcription"
    found = [
        place for pcm in turns(three_minutes(load_clips())) for place in await places(url, pcm)
    ]
    room = asyncio.Semaphore(AT_ONCE)

    async def one(place: Place, context_s: float) -> bool:
        async with room:
            return await differs(url, place, context_s)

    print("| context, s | places | heard otherwise |\n|---|---|---|")
    for context_s in contexts:
        wrong = await asyncio.gather(*(one(place, context_s) for place in found))
        print(f"| {context_s:g} | {len(found)} | {sum(wrong)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url", default="http://127.0.0.1:8000/v1")
    parser.add_argument("--context", type=float, nargs="+", default=[0.0, 5.0])
    given = parser.parse_args()
    asyncio.run(main(given.base_url, given.context))
