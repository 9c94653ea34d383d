"""A link that the kernel makes worse: a veth pair to a network namespace, with `tc netem`.

Connections begin in the namespace and come back over the pair, so that each packet of them, of
both ways, is delayed and lost as netem is told. Linux alone, and root.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_HERE, _THERE = "198.18.77.1", "198.18.77.2"  # of the range for benchmarks, RFC 2544
_WORSE = ("netem", "delay", "100ms", "50ms", "loss", "2%")


class NetemFailed(RuntimeError):
    """The kernel, or a right, or a command is missing; the message is that of the command."""


class Link:
    """The pair.

    Args:
        name: of the namespace.
        ends: names of the two devices, here and there.

    Attributes:
        host: address of this end.
    """

    def __init__(self, name: str, ends: tuple[str, str]) -> None:
        self.host = _HERE
        self._name = name
        self._ends = ends
        # A thread that lives in the namespace: what it opens belongs there.
        self._inside = ThreadPoolExecutor(1, initializer=_enter, initargs=(name,))

    async def connect(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from there, like `asyncio.open_connection`."""
        loop = asyncio.get_running_loop()
        end = await loop.run_in_executor(self._inside, socket.socket)
        try:
            end.setblocking(False)
            await loop.sock_connect(end, (host, port))
            return await asyncio.open_connection(sock=end)
        except BaseException:
            end.close()
            raise

    def close(self) -> None:
        """No more connections."""
        self._inside.shutdown()

    async def worsen(self) -> str:
        """From now on it is bad; returns how bad."""
        here, there = self._ends
        await _do("tc", "qdisc", "replace", "dev", here, "root", *_WORSE)
        await _do("tc", "-n", self._name, "qdisc", "replace", "dev", there, "root", *_WORSE)
        return " ".join(_WORSE)

    async def mend(self) -> None:
        """It is good again."""
        here, there = self._ends
        await _do("tc", "qdisc", "del", "dev", here, "root")
        await _do("tc", "-n", self._name, "qdisc", "del", "dev", there, "root")


@asynccontextmanager
async def link() -> AsyncIterator[Link]:
    """A link that can be made worse, and is good.

    Raises:
        NetemFailed: it cannot be.
    """
    async with pair() as made:
        await made.worsen()
        await made.mend()
        yield made


@asynccontextmanager
async def pair() -> AsyncIterator[Link]:
    """A link, whether or not the kernel has netem; it is gone with the body."""
    name = f"voxtide-soak-{os.getpid()}"
    here, there = f"vxs{os.getpid()}a", f"vxs{os.getpid()}b"
    inside = ("ip", "-n", name)
    try:
        await _do("ip", "netns", "add", name)
        await _do("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        await _do("ip", "addr", "add", f"{_HERE}/30", "dev", here)
        await _do("ip", "link", "set", here, "up")
        await _do(*inside, "addr", "add", f"{_THERE}/30", "dev", there)
        await _do(*inside, "link", "set", there, "up")
        with closing(Link(name, (here, there))) as made:
            yield made
    finally:
        for command in (("ip", "link", "del", here), ("ip", "netns", "del", name)):
            with suppress(NetemFailed):  # it was never made
                await _do(*command)


async def _do(*command: str) -> None:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    except OSError as missing:
        raise NetemFailed(f"{command[0]}: {missing.strerror}") from None
    _, said = await process.communicate()
    if process.returncode:
        raise NetemFailed(f"{' '.join(command)}: {said.decode(errors='replace').strip()}")


def _enter(name: str) -> None:
    """Move this thread into a namespace."""
    with open(f"/run/netns/{name}", "rb") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
