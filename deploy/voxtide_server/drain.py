"""Ending in good order: nobody new, and who is inside finishes what has been said.

The launcher and vLLM's API servers meet in a folder of files:

    pid         of the launcher: `voxtide drain` asks it to stop
    server-N    there as long as API server N has something to finish
    drain       there once the server is to end

The launcher makes `drain` when it is asked to stop, waits until the last `server-N`
is gone or the time is up, and stops vLLM then.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .logs import logger
from .start_errors import MachineError

FOLDER = "VOXTIDE_RUN_FOLDER"
"""The variable that tells API servers of the folder."""
LOOK_S = 0.2
"""Seconds between two looks for `drain`."""

_PID, _DRAIN, _SERVER = "pid", "drain", "server-"


class RunFolder:
    """The launcher's side.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def ask(self) -> None:
        """Tell the API servers to end."""
        self.path.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up
        (self.path / _DRAIN).touch()

    @property
    def done(self) -> bool:
        """Whether every API server has finished."""
        return not any(self.path.glob(f"{_SERVER}*"))


@contextmanager
def run_folder(host: str, port: int) -> Iterator[RunFolder]:
    """A folder for the server at an address, gone at its end.

    Raises:
        MachineError: there is no place for it.
    """
    path = _folder_of(host, port)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.parent.lstat().st_uid != os.getuid():
            raise MachineError(f"{path.parent} belongs to somebody else")
        shutil.rmtree(path, ignore_errors=True)  # of a launcher that was killed
        path.mkdir(mode=0o700)
        (path / _PID).write_text(str(os.getpid()))
    except OSError as error:
        raise MachineError(f"no folder for the state of this server: {error}") from None
    try:
        yield RunFolder(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def main(argv: Sequence[str]) -> int:
    """`voxtide drain`: returns the exit code of the process."""
    parser = argparse.ArgumentParser(
        prog="voxtide drain",
        description="End a server of this user on this machine: nobody new is let in, open "
        "sessions finish what has been said, and the server stops. Waits until it has.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="as given to `voxtide serve`")
    parser.add_argument("--port", type=int, default=8000, help="(default: %(default)s)")
    args = parser.parse_args(argv)
    try:
        ask_and_wait(args.host, args.port)
    except MachineError as error:
        print(f"voxtide drain: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def ask_and_wait(host: str, port: int) -> None:
    """Ask the launcher of this user at an address to stop, and wait until it has.

    Raises:
        MachineError: there is none.
    """
    path = _folder_of(host, port)
    try:
        pid = int((path / _PID).read_text())
        # A launcher that was killed leaves its folder, and its number may be another's now.
        if b"voxtide" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            raise ProcessLookupError
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        raise MachineError(f"no server of this user runs at {host} port {port}") from None
    while (path / _PID).exists() and Path(f"/proc/{pid}").exists():
        time.sleep(LOOK_S)


def _folder_of(host: str, port: int) -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"voxtide-{os.getuid()}" / f"{host}-{port}"


class Drain:
    """The API server's side.

    Args:
        folder: from the environment, or None where nobody asks.
        seconds: that sessions get to end by themselves.

    Attributes:
        asked: whether the server is to end.
    """

    def __init__(self, folder: Path | None, seconds: float) -> None:
        self.asked = False
        self._seconds = seconds
        self._folder = folder
        self._listeners: set[Callable[[float], None]] = set()

    @contextmanager
    def told(self, listener: Callable[[float], None]) -> Iterator[None]:
        """Tell somebody, with the seconds that are left."""
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    async def watch(self, busy: Callable[[], bool]) -> None:
        """Wait until the server is to end, tell everybody, and say when all is finished.

        Args:
            busy: whether there is something to finish.
        """
        if self._folder is None:
            return
        mark = self._folder / f"{_SERVER}{os.getpid()}"
        while not (self._folder / _DRAIN).exists():
            if not mark.exists():  # the first time, or somebody has tidied up
                self._folder.mkdir(parents=True, exist_ok=True)
                mark.touch()
            await asyncio.sleep(LOOK_S)
        self.begin()
        while busy():  # noqa: ASYNC110 - counters have no event
            await asyncio.sleep(LOOK_S)
        mark.unlink(missing_ok=True)

    def begin(self) -> None:
        """The server is to end."""
        self.asked = True
        for listener in list(self._listeners):
            try:
                listener(self._seconds)
            except Exception:
                logger.exception("a session cannot be told of the end")
