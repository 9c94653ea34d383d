"""The link through a network namespace: with root and iproute2 alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.loadtest.echo import corpus
from tests.loadtest.test_soak_run import run
from voxtide_loadtest.soak.netem import NetemFailed, link, pair
from voxtide_loadtest.soak.proxy import proxy


def possible() -> bool:
    """Whether namespaces and pairs can be made here."""
    if os.getuid() or not shutil.which("ip") or not shutil.which("tc"):
        return False
    made = subprocess.run(["ip", "netns", "add", "voxtide-probe"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", "voxtide-probe"], capture_output=True, check=False)
    return made.returncode == 0


pytestmark = pytest.mark.skipif(not possible(), reason="needs root, ip, tc and namespaces")


def namespaces() -> str:
    return subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout


async def test_connections_of_a_proxy_go_through_the_namespace_and_nothing_is_left() -> None:
    peers = []

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1024):
                writer.write(data)
        finally:
            writer.close()

    server = await asyncio.start_server(back, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, pair() as bad:
        assert "voxtide-soak" in namespaces()

        async def connect(
            host: str, port: int
        ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await bad.connect(host, port)
            peers.append((writer.get_extra_info("sockname")[0], host))
            return reader, writer

        async with proxy(url, host=bad.host) as far, proxy(far.base_url, connect=connect) as near:
            port = int(near.base_url.split(":")[2].removesuffix("/v1"))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            writer.close()
    assert peers == [("198.18.77.2", "198.18.77.1")]
    assert "voxtide-soak" not in namespaces()


async def test_what_the_kernel_cannot_do_is_told_and_nothing_is_left() -> None:
    told = ""
    try:
        async with link() as bad:
            told = await bad.worsen()
            await bad.mend()
    except NetemFailed as failed:
        told = str(failed)
    assert "netem" in told
    assert "voxtide-soak" not in namespaces()


async def test_a_soak_over_the_link_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the kernel has no netem: cuts do."""
    monkeypatch.setattr("voxtide_loadtest.soak.run.link", pair)
    manifest = corpus(tmp_path / "said", clips=2, seconds=0.8)
    result, _ = await run(manifest, netem=True, faults=("cut",))
    assert result.account.sessions.resumed > 0
    assert result.account.turns.said > 0
    assert result.clean, result.account
    assert "voxtide-soak" not in namespaces()
