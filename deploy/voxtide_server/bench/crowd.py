"""A full server: what those inside notice of those at the door, and of one who abuses it.

Ten keys, each with its share of the sessions. Nine speak in real time, the tenth is
silent at first; then others knock at the door of the full server; then the tenth sends
audio in its sessions as fast as it goes, and bad messages, and tries to open more.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from .load import Clip, append, opened, run
from .measures import Row, waits
from .servers import Server, running

KEYS = [f"key-{number}" for number in range(10)]
KNOCKS_PER_S = 50


@contextmanager
def full(model: str, flags: list[str], folder: Path, sessions: int) -> Iterator[Server]:
    """A server of voxtide's that has room for so many sessions, a tenth of them for each key."""
    keys = folder / "keys"
    hashes = [hashlib.sha256(key.encode()).hexdigest() for key in KEYS]
    keys.write_text("".join(f"{k} sha256:{h}\n" for k, h in zip(KEYS, hashes, strict=True)))
    settings = {
        "VOXTIDE_KEYS_FILE": str(keys),
        "VOXTIDE_MAX_SESSIONS": str(sessions),
        "VOXTIDE_MAX_SESSIONS_PER_KEY": str(sessions // len(KEYS)),
    }
    with running("voxtide", model, flags, folder / "full.log", settings) as server:
        yield server


async def crowd(server: Server, clip: Clip, sessions: int) -> list[Row]:
    """The latency of those inside, alone, with others at the door, and beside an abusive key."""
    share = sessions // len(KEYS)
    abuser = KEYS[-1]
    rows = []
    refused: list[float] = []
    async with _holding(server, abuser, share) as held:
        for what in ("alone", "door", "abusive key"):
            async with asyncio.TaskGroup() as group:
                tasks = []
                if what != "alone":
                    tasks.append(group.create_task(_knock(server, abuser, refused)))
                if what == "abusive key":
                    tasks += [group.create_task(_flood(socket, clip)) for socket in held]
                rows.append(await _inside(server, clip, sessions - share, what, refused))
                for task in tasks:
                    task.cancel()
    return rows


async def _inside(server: Server, clip: Clip, streams: int, what: str, refused: list[float]) -> Row:
    del refused[:]
    done = await run(server, clip, streams, paced=True, keys=KEYS[:-1])
    p50, p95, p99 = np.percentile(waits(server, clip, done), (50, 95, 99)) * 1000
    row: Row = {
        "beside": what,
        "live streams": streams,
        "p50, ms": round(p50),
        "p95, ms": round(p95),
        "p99, ms": round(p99),
        "refused": len(refused),
    }
    for name, part in (("p95", 95), ("slowest", 100)):
        told = round(float(np.percentile(refused, part)) * 1000) if refused else "-"
        row[f"refused after, {name}, ms"] = told
    return row


@asynccontextmanager
async def _holding(server: Server, key: str, count: int) -> AsyncIterator[list[ClientConnection]]:
    """All sessions that a key may have, so that the server is full once the others are in."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(server, key)) for _ in range(count)]


async def _knock(server: Server, key: str, refused: list[float]) -> None:
    """Try to come in, evenly, and note how long it takes to be refused."""
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(_try(server, key, refused))
            await asyncio.sleep(1 / KNOCKS_PER_S)


async def _try(server: Server, key: str, refused: list[float]) -> None:
    began = time.monotonic()
    url, headers = f"ws://{server.host}/v1/realtime", {"Authorization": f"Bearer {key}"}
    try:
        async with connect(url, additional_headers=headers, compression=None):
            pass  # the others are not all inside yet
    except InvalidStatus as error:
        # Either may be the one that is told first while the others are coming in.
        if error.response.status_code not in (429, 503):
            raise
        refused.append(time.monotonic() - began)


async def _flood(socket: ClientConnection, clip: Clip) -> None:
    """Audio as fast as it is taken, and bad messages."""
    message = append(clip.pcm)
    while True:
        await socket.send(message)
        await socket.send("{")
