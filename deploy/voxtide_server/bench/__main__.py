"""Stock vLLM and voxtide on the same machine, checkpoint, client and audio, in turn.

Prints one table in Markdown for each measurement, and the figures as JSON with
`--json FILE`. Every figure is a mean over the frames of a run; CPU is user and
system time of a process. The load generator runs beside the servers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..engine import FRAME_S, SAMPLE_RATE
from . import load
from .servers import ROLES, Server, Usage, running

Pcm = NDArray[np.int16]
Row = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Run what the flags ask for."""
    args = _parser().parse_args(arguments)
    audio, _ = soundfile.read(args.audio, dtype="int16")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = [
            stack.enter_context(running(name, args.model, [], Path(folder) / f"{name}.log"))
            for name in ("stock", "voxtide")
        ]
        rows = asyncio.run(_measure(servers, np.asarray(audio, np.int16), args))
    print(_about())
    for title, table in rows.items():
        print(f"\n{title}\n\n{_markdown(table)}")
    if args.json:
        args.json.write_text(json.dumps({"about": _about(), **rows}, indent=1) + "\n")
    return 0


async def _measure(
    servers: list[Server], audio: Pcm, args: argparse.Namespace
) -> dict[str, list[Row]]:
    clip = _loop(audio, args.seconds)
    spoken = await _spoken_frames(servers[0], clip)
    cost: list[Row] = []
    latency: list[Row] = []
    for streams in args.streams:
        for server in servers:
            cost.append(await _cost(server, clip, streams))
            latency.append(await _latency(server, clip, streams, spoken))
    tables = {"Cost, as fast as it goes": cost, "Latency, in real time": latency}
    if args.minutes:
        long = _loop(audio, args.minutes[-1] * 60)
        tables["Cost by the age of one stream"] = [
            row for server in servers for row in await _age(server, long, args.minutes)
        ]
    return tables


async def _cost(server: Server, pcm: Pcm, streams: int) -> Row:
    before, started = server.usage(), time.monotonic()
    done = await load.run(server.host, server.model, pcm, streams, paced=False)
    frames = sum(stream.frames for stream in done)
    seconds, after = time.monotonic() - started, server.usage()
    return {
        "streams": streams,
        "server": server.name,
        "frames/s": round(frames / seconds, 1),
        **_cpu(before, after, frames),
        **_memory(after),
    }


async def _latency(server: Server, pcm: Pcm, streams: int, spoken: list[int]) -> Row:
    """From sending the last sample that a token needs to its arrival, for tokens with text."""
    done = await load.run(server.host, server.model, pcm, streams, paced=True)
    waits = []
    for stream in done:
        if len(stream.heard) != len(spoken):
            raise RuntimeError(f"{server.name} heard other words under load: {stream.text!r}")
        for frame, (_, arrival) in zip(spoken, stream.heard, strict=True):
            # The delay, and a frame for the look-ahead of 40 samples.
            needed = min(frame + server.delay_ms // 80 + 1, len(stream.sent) - 1)
            waits.append(arrival - stream.sent[needed])
    p50, p95, p99 = np.percentile(waits, (50, 95, 99)) * 1000
    return {
        "streams": streams,
        "server": server.name,
        "p50, ms": round(p50),
        "p95, ms": round(p95),
        "p99, ms": round(p99),
        "words": len(waits),
    }


async def _age(server: Server, pcm: Pcm, minutes: list[int]) -> list[Row]:
    """The cost of a frame around each age of one stream that is fed as fast as it goes."""
    stream = asyncio.create_task(load.run(server.host, server.model, pcm, 1, paced=False))
    first = await server.tokens()
    samples: list[tuple[int, float, dict[str, Usage]]] = []
    while not stream.done():
        samples.append((await server.tokens() - first, time.monotonic(), server.usage()))
        await asyncio.sleep(1)
    await stream
    return [_at_age(server, samples, minute) for minute in minutes]


def _at_age(server: Server, samples: list[tuple[int, float, dict[str, Usage]]], minute: int) -> Row:
    start, end = ((minute + shift) * 60 / FRAME_S for shift in (-0.5, 0))
    tokens_0, time_0, usage_0 = next(s for s in samples if s[0] >= start)
    tokens_1, time_1, usage_1 = next((s for s in samples if s[0] >= end), samples[-1])
    frames = tokens_1 - tokens_0
    return {
        "minute": minute,
        "server": server.name,
        "frames/s": round(frames / (time_1 - time_0), 1),
        **_cpu(usage_0, usage_1, frames),
        **_memory(usage_1),
    }


async def _spoken_frames(stock: Server, pcm: Pcm) -> list[int]:
    """The frames whose tokens have text: stock vLLM sends a delta for every frame."""
    (stream,) = await load.run(stock.host, stock.model, pcm, 1, paced=False)
    return [number for number, _ in stream.heard]


def _cpu(before: dict[str, Usage], after: dict[str, Usage], frames: int) -> Row:
    return {
        f"{role}, CPU ms/frame": round((after[role].cpu - before[role].cpu) / frames * 1000, 2)
        for role in ROLES.values()
    }


def _memory(usage: dict[str, Usage]) -> Row:
    return {f"{role}, MB": usage[role].rss >> 20 for role in ROLES.values()}


def _loop(audio: Pcm, seconds: float) -> Pcm:
    return np.resize(audio, round(seconds * SAMPLE_RATE))


def _about() -> dict[str, str]:
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("voxtide", "torch")},
    }


def _markdown(rows: list[Row]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([*row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m voxtide_server.bench", description=__doc__)
    parser.add_argument("--model", default="nano", help="as for voxtide serve")
    parser.add_argument("--audio", type=Path, required=True, help="16 kHz mono; it is looped")
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 8, 32], help="side by side")
    parser.add_argument("--seconds", type=float, default=20.0, help="of audio for each stream")
    parser.add_argument("--minutes", type=int, nargs="*", default=[], help="ages to measure at")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
