"""A TCP proxy on loopback that loses its connections when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Passes bytes on to a server.

    Attributes:
        base_url: with `/v1`.
        target: HOST:PORT of the server that new connections are passed on to.
    """

    def __init__(self, target: str) -> None:
        self.base_url = ""
        self.target = target
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Lose all connections without a goodbye; what is on its way is lost too."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        host, port = self.target.split(":")
        there, back = await asyncio.open_connection(host, int(port))
        self._open |= {writer, back}
        with suppress(OSError):
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        for end in (writer, back):
            self._open.discard(end)
            end.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def proxy(target: str) -> AsyncIterator[Proxy]:
    """A proxy to a server that lives as long as the body."""
    passing = Proxy(target)
    server = await asyncio.start_server(passing.pass_on, "127.0.0.1", 0)
    async with server:
        passing.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield passing
        passing.cut()
