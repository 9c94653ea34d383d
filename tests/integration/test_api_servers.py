"""Several API servers share one engine and the sessions."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from tests.conftest import Clip, Server, serving
from tests.integration.audio import pcm16
from tests.integration.live import session

pytestmark = pytest.mark.integration


def api_servers(server: Server) -> list[psutil.Process]:
    processes = psutil.Process(server.process.pid).children(recursive=True)
    return [p for p in processes if "VLLM::APIServer" in " ".join(p.cmdline())]


async def test_both_api_servers_take_sessions_and_hear_every_word(clips: list[Clip]) -> None:
    # Unasked, each would let in half of the 32 places.
    with serving("--max-sessions", "28", "--", "--api-server-count", "2") as server:
        sockets: set[int] = set()

        async def speak(clip: Clip) -> str:
            async with session(server) as live:
                await live.say(pcm16(clip.path))
                await live.commit()
                text = await live.transcript()
                port = live.socket.local_address[1]
                sockets.update(p.pid for p in api_servers(server) if serves(p, port))
                return text

        assert len(api_servers(server)) == 2
        # The first to be ready takes all until the other one is.
        for _ in range(10):
            spoken = clips * 2
            assert await asyncio.gather(*map(speak, spoken)) == [clip.text for clip in spoken]
            if len(sockets) == 2:
                break
        assert len(sockets) == 2
        server.process.terminate()
        assert await asyncio.to_thread(server.process.wait, 60) == 0


def serves(process: psutil.Process, client_port: int) -> bool:
    connections = process.net_connections(kind="tcp")
    return any(c.raddr and c.raddr.port == client_port for c in connections)
