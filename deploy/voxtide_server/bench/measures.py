"""What is measured, each by a function that returns rows of a table."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx
import numpy as np
import soundfile

from ..engine import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE
from .load import Clip, Stream, TooSlow, append, opened, run
from .servers import Server, Usage

Row = dict[str, Any]

LIVE_MS = 200
"""The 95th percentile of frame latency up to which streams count as live."""
PATIENCE_S = 5.0


async def cost(server: Server, clip: Clip, streams: int) -> Row:
    """CPU and memory, every stream fed as fast as it goes."""
    before, started = server.usage(), time.monotonic()
    done = await run(server, clip, streams, paced=False)
    frames = sum(stream.frames for stream in done)
    seconds, after = time.monotonic() - started, server.usage()
    return {
        "streams": streams,
        "server": server.name,
        "frames/s": round(frames / seconds, 1),
        **_cpu(before, after, frames),
        **_memory(after),
    }


async def latency(server: Server, clip: Clip, streams: int) -> Row:
    """From sending the last sample that a token needs to its arrival, for tokens with text."""
    before = server.usage()
    done = await run(server, clip, streams, paced=True)
    frames, after = sum(stream.frames for stream in done), server.usage()
    times = waits(server, clip, done)
    p50, p95, p99 = np.percentile(times, (50, 95, 99)) * 1000
    return {
        "streams": streams,
        "server": server.name,
        "p50, ms": round(p50),
        "p95, ms": round(p95),
        "p99, ms": round(p99),
        "words": len(times),
        **_cpu(before, after, frames),
    }


async def live(server: Server, clip: Clip, first: int, most: int) -> Row:
    """The largest number of streams, up to `most`, whose p95 latency is below LIVE_MS.

    Found by doubling from `first` and then by bisection to a tenth; a number counts
    as held when one run of it holds.
    """
    held, failed = 0, most + 1
    p95s: dict[int, int | str] = {0: "-"}
    count = min(first, most)
    while held < failed - max(1, held // 10):
        p95 = await _p95(server, clip, count)
        if p95 is not None and p95 < LIVE_MS:
            held, p95s[count] = count, p95
        else:
            failed = count
        count = min(2 * held, most) if failed > most else (held + failed) // 2
    return {
        "session, s": round(clip.frames * FRAME_S),
        "server": server.name,
        "live streams": held,
        "p95, ms": p95s[held],
        "tried up to": most,
    }


async def _p95(server: Server, clip: Clip, streams: int) -> int | None:
    try:
        done = await run(server, clip, streams, paced=True, patience_s=PATIENCE_S)
        times = waits(server, clip, done)
    except (TooSlow, OtherWords):
        await asyncio.sleep(2)  # until the server has let go of them
        return None
    return round(float(np.percentile(times, 95)) * 1000)


class OtherWords(Exception):
    """A server under load heard something else than alone."""


def waits(server: Server, clip: Clip, done: list[Stream]) -> list[float]:
    """From sending the last sample that each token with text needs to its arrival, in seconds.

    Raises:
        OtherWords: a stream was heard differently.
    """
    times = []
    for stream in done:
        if len(stream.heard) != len(clip.spoken):
            raise OtherWords(f"{server.name} heard other words under load: {stream.text!r}")
        for number, (_, arrival) in enumerate(stream.heard):
            times.append(arrival - stream.sent[clip.needed(number, server.delay_ms)])
    return times


async def heard(server: Server, clip: Clip) -> tuple[int, ...]:
    """Which deltas have text: on stock vLLM, which sends one for every frame, the frames."""
    (stream,) = await run(server, clip, 1, paced=False)
    return tuple(number for number, _ in stream.heard)


async def age(server: Server, clip: Clip, minutes: list[int], patience_s: float) -> list[Row]:
    """The cost of a frame around each age of one stream that is fed as fast as it goes.

    Args:
        minutes: of audio; each row is a mean over the minute around it.
        patience_s: after which the ages that have not been reached are left out.
    """
    long = clip.lasting((minutes[-1] + 0.6) * 60)
    stream = asyncio.create_task(run(server, long, 1, paced=False))
    first, started = await server.tokens(), time.monotonic()
    samples: list[tuple[int, float, dict[str, Usage]]] = []
    while not stream.done() and time.monotonic() - started < patience_s:
        samples.append((await server.tokens() - first, time.monotonic(), server.usage()))
        await asyncio.sleep(0.5)
    stream.cancel()
    await asyncio.gather(stream, return_exceptions=True)
    reached = samples[-1][0] * FRAME_S / 60
    return [_at_age(server, samples, m) for m in minutes if m + 0.5 < reached]


def _at_age(server: Server, samples: list[tuple[int, float, dict[str, Usage]]], minute: int) -> Row:
    start, end = ((minute + shift) * 60 / FRAME_S for shift in (-0.5, 0.5))
    tokens_0, time_0, usage_0 = next(s for s in samples if s[0] >= start)
    tokens_1, time_1, usage_1 = next(s for s in samples if s[0] >= end)
    frames = tokens_1 - tokens_0
    return {
        "minute": minute,
        "server": server.name,
        "frames/s": round(frames / (time_1 - time_0), 1),
        **_cpu(usage_0, usage_1, frames),
        **_memory(usage_1),
    }


async def file(server: Server, clip: Clip, folder: str) -> list[Row]:
    """A long recording through the file endpoint, and streamed as fast as it goes."""
    path = f"{folder}/recording.wav"
    soundfile.write(path, clip.pcm, SAMPLE_RATE)
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=None) as client:
        with open(path, "rb") as recording:  # noqa: ASYNC230
            url = f"http://{server.host}/v1/audio/transcriptions"
            response = await client.post(url, files={"file": recording})
    text: str = response.raise_for_status().json()["text"]
    seconds = {"file endpoint": time.monotonic() - started}
    started = time.monotonic()
    (stream,) = await run(server, clip, 1, paced=False)
    seconds["streamed"] = time.monotonic() - started
    return [
        {
            "way": way,
            "server": server.name,
            "audio, s": round(clip.frames * FRAME_S),
            "seconds": round(taken, 1),
            "words": len((text if way == "file endpoint" else stream.text).split()),
            "same text": text == stream.text,
        }
        for way, taken in seconds.items()
    ]


async def idle(server: Server, clip: Clip, sessions: int, seconds: float) -> Row:
    """Sessions that have said something and then nothing more: what each costs a second."""
    before = server.usage()
    async with AsyncExitStack() as stack:
        for _ in range(sessions):
            socket = await stack.enter_async_context(opened(server))
            await socket.send(append(clip.pcm[: 25 * FRAME_SAMPLES]))
        await asyncio.sleep(10)
        start = server.usage()
        await asyncio.sleep(seconds)
        end = server.usage()
    row: Row = {"sessions": sessions, "server": server.name}
    for role in end:
        used = (end[role].cpu - start[role].cpu) / seconds
        row[f"{role}, CPU ms/s"] = round(used * 1000, 1)
        row[f"{role}, MB more"] = (end[role].rss - before[role].rss) >> 20
    return row


def _cpu(before: dict[str, Usage], after: dict[str, Usage], frames: int) -> Row:
    return {
        f"{role}, CPU ms/frame": round((after[role].cpu - before[role].cpu) / frames * 1000, 3)
        for role in after
    }


def _memory(usage: dict[str, Usage]) -> Row:
    return {f"{role}, MB": used.rss >> 20 for role, used in usage.items()}
