"""The proxy between speakers and servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from voxtide_loadtest.soak.proxy import Proxy, proxy


@asynccontextmanager
async def through() -> AsyncIterator[tuple[Proxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection through a proxy to a server that sends everything back."""

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1024):
                writer.write(data)
            writer.write(b"bye")
        finally:
            writer.close()

    server = await asyncio.start_server(back, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, proxy(f"http://127.0.0.1:{port}/v1") as passing:
        assert passing.base_url.endswith("/v1")
        here = int(passing.base_url.split(":")[2].removesuffix("/v1"))
        assert here != port
        reader, writer = await asyncio.open_connection("127.0.0.1", here)
        try:
            yield passing, reader, writer
        finally:
            writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends, in whichever way."""
    with suppress(ConnectionResetError):
        return await reader.read()
    return b""


async def test_bytes_pass_both_ways() -> None:
    async with through() as (passing, reader, writer):
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        assert passing.connections == 1


async def test_a_cut_connection_ends_without_what_was_on_its_way() -> None:
    async with through() as (passing, reader, writer):
        writer.write(b"one")
        await reader.readexactly(3)
        writer.write(b"two")
        passing.cut()
        assert await rest(reader) == b""
        assert passing.connections == 0


async def test_bytes_that_are_held_back_come_later_and_in_their_order() -> None:
    async with through() as (passing, reader, writer):
        waits = iter([0.2, 0.0, 0.1])
        passing.hold = lambda: next(waits, 0.0)
        for number in range(4):
            writer.write(b"%d" % number)
            await asyncio.sleep(0.02)
        assert await reader.readexactly(4) == b"0123"


async def test_a_server_that_is_gone_ends_the_connection() -> None:
    async with proxy("http://127.0.0.1:9/v1") as passing:
        port = int(passing.base_url.split(":")[2].removesuffix("/v1"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await rest(reader) == b""
        writer.close()
