"""Stock vLLM and voxtide on the same machine, checkpoint, client and audio, in turn.

Prints one table in Markdown for each measurement, and the figures as JSON with
`--json FILE`. CPU is user and system time of a process. The load generator runs
beside the servers. Both are up all the time, so the one that is not measured idles.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Awaitable
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile

from . import crowd, load, measures
from .measures import Row
from .servers import Server, running

SERVERS = ("stock", "voxtide")
MEASURES = ("cost", "latency", "live", "age", "file", "idle", "crowd")


def main(arguments: list[str]) -> int:
    """Run what the flags ask for."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if "stock" not in args.servers and {"latency", "live", "crowd"} & set(args.measure):
        parser.error("latency, live and crowd need stock: it tells which frames have words")
    if args.crowd_sessions % len(crowd.KEYS):
        parser.error(f"--crowd-sessions must be a multiple of {len(crowd.KEYS)}")
    audio, _ = soundfile.read(args.audio, dtype="int16")
    flags = ["--max-num-seqs", str(args.max_num_seqs)]
    # Stock vLLM refuses nobody, and what is more than a server carries is measured too.
    settings = {"VOXTIDE_MAX_SESSIONS": str(args.max_num_seqs)}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = [
            stack.enter_context(
                running(name, args.model, flags, Path(folder) / f"{name}.log", settings)
            )
            for name in args.servers
        ]
        clip = load.clip(np.asarray(audio, np.int16))
        tables = asyncio.run(_measure(servers, clip, args, flags, folder))
    print(_about())
    for title, table in tables.items():
        print(f"\n{title}\n\n{_markdown(table)}")
    if args.json:
        args.json.write_text(json.dumps({"about": _about(), **tables}, indent=1) + "\n")
    return 0


async def _measure(
    servers: list[Server],
    clip: load.Clip,
    args: argparse.Namespace,
    flags: list[str],
    folder: str,
) -> dict[str, list[Row]]:
    for server in servers:
        heard = await measures.heard(server, clip)  # and both are warm
        if server.name == "stock":
            clip = replace(clip, spoken=heard)
    short = clip.lasting(args.seconds)
    tables: dict[str, list[Row]] = {}
    if "cost" in args.measure:
        tables["Cost, as fast as it goes"] = [
            await _told(measures.cost(server, short, n)) for n in args.streams for server in servers
        ]
    if "latency" in args.measure:
        tables["Latency, in real time"] = [
            await _told(measures.latency(server, short, n))
            for n in args.paced
            for server in servers
        ]
    if "live" in args.measure:
        rows = tables[f"Streams with a p95 latency below {measures.LIVE_MS} ms"] = []
        # A search begins where the one with shorter sessions has ended.
        held = {server.name: 1 for server in servers}
        for seconds in sorted(args.live_seconds):
            for server in servers:
                begin, most = held[server.name], args.live_most
                row = await _told(measures.live(server, clip.lasting(seconds), begin, most))
                rows.append(row)
                held[server.name] = max(1, row["live streams"])
    if "age" in args.measure:
        tables["Cost by the age of one stream"] = [
            row
            for server in servers
            for row in await _all_told(measures.age(server, clip, args.minutes, args.patience))
        ]
    if "file" in args.measure:
        tables["A long recording"] = [
            row
            for server in servers
            if server.name != "stock"  # its file endpoint runs on past the end of the audio
            for row in await _all_told(
                measures.file(server, clip.lasting(args.file_seconds), folder)
            )
        ]
    if "idle" in args.measure:
        tables["Idle sessions"] = [
            await _told(measures.idle(server, clip, args.idle_sessions, 20.0)) for server in servers
        ]
    if "crowd" in args.measure:
        sessions = args.crowd_sessions
        with crowd.full(args.model, flags, Path(folder), sessions) as server:
            tables["A full server"] = await _all_told(crowd.crowd(server, short, sessions))
    return tables


async def _told(measure: Awaitable[Row]) -> Row:
    row = await measure
    print(row, file=sys.stderr, flush=True)
    return row


async def _all_told(measure: Awaitable[list[Row]]) -> list[Row]:
    rows = await measure
    print(*rows, sep="\n", file=sys.stderr, flush=True)
    return rows


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
    add = parser.add_argument
    add("--model", default="nano", help="as for voxtide serve")
    add("--audio", type=Path, required=True, help="speech, 16 kHz mono; it is looped")
    add("--servers", nargs="*", choices=SERVERS, default=SERVERS)
    add("--measure", nargs="*", choices=MEASURES, default=MEASURES)
    add("--max-num-seqs", type=int, default=128, help="of both servers")
    add("--seconds", type=float, default=20.0, help="of audio for each stream, at least")
    add("--streams", type=int, nargs="*", default=[1, 8, 32, 64], help="as fast as it goes")
    add("--paced", type=int, nargs="*", default=[1, 8, 32], help="in real time")
    add("--live-seconds", type=float, nargs="*", default=[20], help="length of live sessions")
    add("--live-most", type=int, default=128, help="live streams to try at the most")
    add("--minutes", type=int, nargs="*", default=[1, 5, 10, 20, 30, 60], help="ages")
    add("--patience", type=float, default=900, help="seconds for the ages of each server")
    add("--file-seconds", type=float, default=3600, help="length of the long recording")
    add("--idle-sessions", type=int, default=64)
    add("--crowd-sessions", type=int, default=40, help="that the full server has room for")
    add("--json", type=Path, help="file for the figures")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
