"""A TCP proxy in this process that loses connections and holds bytes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_CHUNK = 1 << 16

Connect = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Opens a connection to a host and a port."""


class Proxy:
    """Passes bytes on to a server.

    Args:
        url: of the server: http://HOST:PORT/PATH.
        connect: opens connections to it.

    Attributes:
        base_url: the same server, through here.
        hold: how long the next bytes are held back, in seconds; those behind them wait too.
    """

    def __init__(self, url: str, connect: Connect) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = parts.path
        self._connect = connect
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.base_url = ""
        self.hold: Callable[[], float] | None = None

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._open) // 2

    def cut(self) -> None:
        """Lose all connections without a goodbye; what is on its way is lost too."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._pass_on(reader, writer)
        except OSError:  # a connection was lost, or there is no server: here it ends too
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def end(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await self._connect(self._host, self._port)
        ends = {writer, back}
        self._open |= ends
        try:
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        finally:
            self._open -= ends
            back.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self.hold is not None:
                await asyncio.sleep(self.hold())
            writer.write(data)
            await writer.drain()
        writer.close()  # what is written still goes out

    def listens(self, host: str, port: int) -> None:
        """It does, at this address."""
        self.base_url = f"http://{host}:{port}{self._path}"


@asynccontextmanager
async def proxy(
    url: str, *, host: str = "127.0.0.1", connect: Connect = asyncio.open_connection
) -> AsyncIterator[Proxy]:
    """A proxy to a server that lives as long as the body.

    Args:
        url: of the server.
        host: the address that it listens at.
        connect: opens connections to the server.
    """
    passing = Proxy(url, connect)
    server = await asyncio.start_server(passing.pass_on, host, 0)
    async with server:
        passing.listens(host, server.sockets[0].getsockname()[1])
        try:
            yield passing
        finally:
            await passing.end()
