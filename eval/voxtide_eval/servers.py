"""Servers of this machine, started to be measured: one at a time, each with a delay of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from voxtide.command.signals import ended_by_signals

from .inference.options import Server

_START_S = 3600.0  # a model may have to be downloaded and compiled first
_STOP_S = 60.0
_POLL_S = 0.2
_TAIL_BYTES = 3_000


class ServerFailed(RuntimeError):
    """A server did not start; the message has the end of its log."""


@dataclass(frozen=True)
class Start:
    """A server that is to be started.

    Attributes:
        model: as `voxtide serve --model` takes it.
        delay_ms: between audio and text; None: the checkpoint's own.
        stock: vLLM's own server, with nothing of voxtide in it.
        arguments: more flags of `voxtide serve`, or of vLLM where it is stock.
        label: what reports call it; None: by product and model.
    """

    model: str
    delay_ms: int | None = None
    stock: bool = False
    arguments: tuple[str, ...] = ()
    label: str | None = None

    @property
    def name(self) -> str:
        """Of its log."""
        kind = "stock" if self.stock else "voxtide"
        delay = "own" if self.delay_ms is None else f"{self.delay_ms}ms"
        return f"{kind}-{self.model.rstrip('/').rpartition('/')[2]}-{delay}"


@contextmanager
def started(start: Start, logs: Path) -> Iterator[Server]:
    """A server that is ready, for as long as the body; SIGTERM and SIGHUP end it as well.

    Args:
        logs: folder, in which its log is appended to.

    Raises:
        ServerFailed: it ended instead, or was not ready within an hour.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with ended_by_signals():
        if start.stock:
            with _stock(start, logs / f"{start.name}.log") as server:
                yield server
        else:
            with _voxtide(start, logs / f"{start.name}.log") as server:
                yield server


@contextmanager
def _voxtide(start: Start, log: Path) -> Iterator[Server]:
    port = _free_port()
    command = [sys.executable, "-m", "voxtide_server", "--port", str(port), "--model", start.model]
    if start.delay_ms is not None:
        command += ["--delay-ms", str(start.delay_ms)]
    root = f"http://127.0.0.1:{port}"
    with _running([*command, *start.arguments], os.environ, f"{root}/health/ready", log):
        yield Server(f"{root}/v1", label=start.label)


@contextmanager
def _stock(start: Start, log: Path) -> Iterator[Server]:
    """The same vLLM with the same flags, but for voxtide's plugin and scheduler."""
    # The server is not needed for anything else here.
    from voxtide_server.bench.servers import prepared
    from voxtide_server.checkpoint import resolve
    from voxtide_server.start_errors import StartError

    port = _free_port()
    try:
        checkpoint = resolve(start.model, start.delay_ms)
        command, environment = prepared("stock", checkpoint, port, start.arguments)
    except StartError as error:
        raise ServerFailed(f"stock vLLM cannot start: {error}") from error
    root = f"http://127.0.0.1:{port}"
    with _running(command, environment, f"{root}/health", log):
        yield Server(
            f"{root}/v1",
            dialect="vllm",
            model=checkpoint.name,
            delay_ms=checkpoint.delay_ms,
            label=start.label or f"stock vLLM {checkpoint.name}",
        )


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], health: str, log: Path
) -> Iterator[None]:
    """A process in a session of its own: Ctrl-C is for us, who end it afterwards."""
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, health, log)
        yield
    finally:
        _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    until = time.monotonic() + _START_S
    with httpx.Client(trust_env=False) as http:
        while time.monotonic() < until:
            if process.poll() is not None:
                raise _failed(f"ended with exit code {process.returncode}", log)
            with suppress(httpx.HTTPError):
                if http.get(health).status_code == httpx.codes.OK:
                    return
            time.sleep(_POLL_S)
    raise _failed("was not ready within an hour", log)


def _end(process: subprocess.Popen[bytes]) -> None:
    """By SIGTERM, and whatever is left of its session by SIGKILL."""
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        pass  # stock vLLM overhears a signal while it starts
    finally:  # nothing is left, whatever ends the wait
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failed(what: str, log: Path) -> ServerFailed:
    tail = log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    return ServerFailed(f"the server {what}; its log, {log}, ends:\n{tail}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
