"""Starting the two servers, and reading what their processes use."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from .. import launcher, machine
from ..checkpoint import Checkpoint, resolve

ROLES = {
    "vllm_engine.serve": "API server",
    "VLLM::EngineCore": "engine core",
    "VLLM::Worker": "worker",
}
"""What stands in the titles of vLLM's processes."""


@dataclass(frozen=True)
class Usage:
    """What a process has used since it started.

    Attributes:
        cpu: seconds of CPU.
        rss: bytes of resident memory.
    """

    cpu: float
    rss: int


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        name: `stock` or `voxtide`.
        host: HOST:PORT.
        model: the name that it serves.
        delay_ms: between audio and text.
    """

    name: str
    host: str
    model: str
    delay_ms: int
    process: psutil.Process

    async def tokens(self) -> int:
        """Tokens that the engine has brought since it started."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://{self.host}/metrics")).text
        values = re.findall(r"^vllm:generation_tokens_total{.*} (.+)$", text, re.MULTILINE)
        return int(sum(map(float, values)))

    def usage(self) -> dict[str, Usage]:
        """Usage by role: API server, engine core, worker (on a GPU the engine core is both)."""
        found: dict[str, Usage] = {}
        for process in (self.process, *self.process.children(recursive=True)):
            title = " ".join(process.cmdline())
            role = next((role for mark, role in ROLES.items() if mark in title), None)
            if role is not None:
                times = process.cpu_times()
                found[role] = Usage(times.user + times.system, process.memory_info().rss)
        return found


@contextmanager
def running(
    name: str,
    model: str,
    arguments: list[str],
    log: Path,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Start a server with vLLM's flags as `voxtide serve` sets them, and stop it.

    Args:
        name: `stock` for vLLM's in-tree endpoint, or `voxtide`.
        model: as `voxtide serve --model` takes it.
        arguments: more flags of vLLM.
        log: where the server's log goes.
        settings: of voxtide, as environment variables.
    """
    checkpoint = resolve(model, None)
    with machine.reserve("127.0.0.1", 0) as held:
        port: int = held.getsockname()[1]
    command, environment = prepared(name, checkpoint, port, arguments, settings)
    with log.open("w") as sink:
        process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
    try:
        _wait_until_ready(process, port, log)
        yield Server(
            name,
            f"127.0.0.1:{port}",
            checkpoint.name,
            checkpoint.delay_ms,
            psutil.Process(process.pid),
        )
    finally:
        process.terminate()
        process.wait()


def prepared(
    name: str,
    checkpoint: Checkpoint,
    port: int,
    arguments: Sequence[str],
    settings: Mapping[str, str] | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a server on loopback, as `running` starts it.

    Raises:
        StartError: this machine cannot run it.
    """
    profile = launcher.choose_profile(None)
    environment = launcher.environment(profile, {**os.environ, **(settings or {})})
    if name == "stock":
        environment["VLLM_PLUGINS"] = ""
        # Before what was asked for, which may name another one.
        arguments = ["--scheduler-cls", "vllm.v1.core.sched.scheduler.Scheduler", *arguments]
    names = [checkpoint.name]
    command = launcher.command(checkpoint, names, profile, "127.0.0.1", port, list(arguments))
    return command, environment


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    while process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                return
        time.sleep(0.5)
    raise RuntimeError(f"the server did not start, see {log}")
