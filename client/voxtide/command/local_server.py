"""A server for the length of a demo: started, waited for, and always stopped."""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from ..errors import VoxtideError
from .exits import Failure
from .signals import ended_by_signals

_READY = re.compile(r"^voxtide ready: (\S+)", re.MULTILINE)
_START_SECONDS = 300.0
_GRACE_SECONDS = 15.0
_POLL_SECONDS = 0.1
_TAIL_LINES = 20


class LocalServer:
    """`python -m voxtide_server` on a free port, its output in files in `folder`."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self._output = folder / "stdout"
        self._log = folder / "stderr"
        command = [sys.executable, "-m", "voxtide_server", "--port", "0", *arguments]
        with self._output.open("wb") as output, self._log.open("wb") as log:
            self._process = _start(command, output, log)

    def wait_until_ready(self, show: Callable[[float], None]) -> str:
        """The base URL, once the server says that it is ready.

        Args:
            show: Called many times a second with the seconds that have passed.
        """
        started = time.monotonic()
        while (passed := time.monotonic() - started) < _START_SECONDS:
            ready = _READY.search(self._output.read_text(errors="replace"))
            if ready:
                return ready[1]
            if self._process.poll() is not None:
                raise self._failure(f"ended with exit code {self._process.returncode}")
            show(passed)
            time.sleep(_POLL_SECONDS)
        raise self._failure(f"was not ready after {_START_SECONDS:.0f} s")

    def log_tail(self) -> str:
        """The last lines of the server's log."""
        lines = self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"  {line}" for line in lines) or "  (empty)"

    def stop(self) -> None:
        """Ask the server to end, then end whatever is left of its process group."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _failure(self, what: str) -> Failure:
        return Failure(f"the server {what}; the end of its log:\n{self.log_tail()}")


@contextmanager
def running_server(delay_ms: int | None, show: Callable[[float], None]) -> Iterator[str]:
    """The base URL of a server that lives as long as the body; see `LocalServer`."""
    if importlib.util.find_spec("voxtide_server") is None:
        raise Failure("the server is not part of this installation; give --base-url")
    arguments = [] if delay_ms is None else ["--delay-ms", str(delay_ms)]
    with tempfile.TemporaryDirectory(prefix="voxtide-demo-") as folder, ended_by_signals():
        server = LocalServer(Path(folder), arguments)
        try:
            yield server.wait_until_ready(show)
        except VoxtideError:
            click.echo(f"The end of the server's log:\n{server.log_tail()}", err=True)
            raise
        finally:
            server.stop()


def _start(command: list[str], output: IO[bytes], log: IO[bytes]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches this process alone, which then stops the server, and
    # the engine's processes can be ended together.
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=log, start_new_session=True
    )
