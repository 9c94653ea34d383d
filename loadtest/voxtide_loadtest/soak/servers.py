"""A server of this machine that can be ended, and started again at the same address."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

_START_S = 600.0
_STOP_S = 120.0
_TAIL_BYTES = 3_000


class ServerFailed(RuntimeError):
    """A server did not start, or not stop; the message has the end of its log."""


class LocalServer:
    """`voxtide serve` on loopback.

    Args:
        name: of its log.
        arguments: of the command, but for the address.
        folder: for its log.

    Attributes:
        url: with /v1.
        ready: whether it serves.
    """

    def __init__(self, name: str, arguments: Sequence[str], folder: Path) -> None:
        self.name = name
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}/v1"
        self.ready = False
        self._arguments = arguments
        self._log = folder / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the process; None while it is not there, though it may be `ready`: it has died."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            ServerFailed: it ended instead, or took ten minutes.
        """
        command = [sys.executable, "-m", "voxtide_server", "--port", str(self._port)]
        # Unasked, vLLM on a CPU would let both servers compute on the same core.
        env = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", **os.environ}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                *self._arguments,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the account, which ends it afterwards
            )
        await self._until_ready(self._process)
        self.ready = True

    async def stop(self) -> int:
        """Ask it to end by SIGTERM, and wait until it has: its exit code.

        Raises:
            ServerFailed: it did not within two minutes, and was killed.
        """
        self._signal(signal.SIGTERM)
        return await self._ended()

    async def lose_engine(self) -> int:
        """Kill the engine's process, and wait until the server has ended: its exit code.

        Raises:
            ServerFailed: there is no such process, or the server lives on.
        """
        engines = [one for one in self._processes() if _is_engine(one)]
        if not engines:
            raise ServerFailed(f"server {self.name} has no process EngineCore")
        for engine in engines:
            with suppress(psutil.NoSuchProcess):
                engine.kill()
        return await self._ended()

    def kill(self) -> None:
        """Leave no process behind."""
        for one in self._processes():
            with suppress(psutil.NoSuchProcess):
                one.kill()

    def _processes(self) -> list[psutil.Process]:
        if self.pid is None:
            return []
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.pid)
            return [first, *first.children(recursive=True)]
        return []

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        line = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_S):
                line = await process.stdout.readline()
        if not line.startswith(b"voxtide ready: "):
            self.kill()
            raise ServerFailed(f"server {self.name} did not start; its log ends:\n{self._tail()}")

    async def _ended(self) -> int:
        self.ready = False
        assert self._process is not None
        try:
            async with asyncio.timeout(_STOP_S):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            raise ServerFailed(
                f"server {self.name} did not end; its log ends:\n{self._tail()}"
            ) from None

    def _tail(self) -> str:
        return self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")


def _is_engine(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "EngineCore" in " ".join(process.cmdline())  # vLLM's name for it
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
