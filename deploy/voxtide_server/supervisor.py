"""Run vLLM as a child: readiness, signals, and nothing left behind.

The supervisor may be process 1 of a container. Signals are blocked and taken
one at a time from the kernel, so there is no handler that could run in the
middle of something. vLLM is several processes: its API server ends the others
when it is asked to stop, but not when it is killed (vLLM 0.32: the engine core
lives on and keeps its memory). So the child leads a process group of its own, what
is left of the group is killed when the child has ended, and orphans come here to
be reaped. If the supervisor itself is killed, a guard (guard.py) ends the group.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from . import guard
from .drain import LOOK_S, RunFolder
from .start_errors import EngineEnded

DRAIN_MARGIN_S = 5.0
"""Seconds beyond their time in which the last turns of sessions are finished."""
PROBE_S = 0.25
"""Seconds between two looks at /health before the server is ready."""

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LEFTOVERS_S = 5.0
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Health:
    """Where a server says that it is ready: `GET /health` is answered."""

    host: str
    port: int
    tls: bool = False

    def ok(self) -> bool:
        """Ask once; False when nobody answers within a second."""
        # This process started the server; whose certificate it has is for its clients to check.
        connection = (
            http.client.HTTPSConnection(
                self.host, self.port, timeout=1, context=ssl._create_unverified_context()
            )
            if self.tls
            else http.client.HTTPConnection(self.host, self.port, timeout=1)
        )
        try:
            connection.request("GET", "/health")
            # Where health asks for a key as well (guard_health), the refusal says enough.
            return connection.getresponse().status in (200, 401)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def run(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    health: Health,
    on_ready: Callable[[], None],
    drain: RunFolder,
    drain_s: float,
    grace_s: float,
) -> None:
    """Run a server until it is asked to stop by SIGTERM, SIGINT or SIGHUP.

    To be called from the main thread of a process that has no other children:
    all that end are reaped here, and afterwards the signals that ask it to stop are
    ignored. What the server prints goes to stderr.

    Args:
        command: the server's command line.
        env: its whole environment.
        health: where it is asked whether it is ready.
        on_ready: called once, when it is.
        drain: where the server is asked to end its sessions when it is asked to stop.
        drain_s: seconds that they get.
        grace_s: seconds that the server gets to stop after that, before the kill. A
            second request kills at once, and so does the first before it is ready.

    Raises:
        EngineEnded: the server ended by itself, or had to be killed.
    """
    # A signal that is ignored on purpose (nohup) stays ignored.
    stop = {s for s in _STOP if signal.getsignal(s) is not signal.SIG_IGN}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, stop | {signal.SIGCHLD})
    try:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        server = _Server(command, env, before, grace_s)
        try:
            _watch(server, stop, health, on_ready, drain, drain_s, grace_s)
        finally:
            server.clear()
    finally:
        # Who asks now is too late: the process is about to end, with a code of its own.
        for number in stop:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch(
    server: _Server,
    stop: set[signal.Signals],
    health: Health,
    on_ready: Callable[[], None],
    drain: RunFolder,
    drain_s: float,
    grace_s: float,
) -> None:
    ready, killed = False, False
    draining: float | None = None
    deadline: float | None = None
    while server.running():
        if not ready and deadline is None and health.ok():
            ready = True
            on_ready()
        received = _next_signal(stop, _patience(ready, draining, deadline))
        now = time.monotonic()
        if received in stop and draining is None and deadline is None:
            # Without sessions there is nothing to end in good order, and vLLM
            # loses a SIGTERM that comes while its engine starts.
            if ready:
                drain.ask()
                draining = now + drain_s + DRAIN_MARGIN_S
            else:
                deadline = now + grace_s
                server.kill()
        elif received in stop or (deadline is not None and now >= deadline):
            killed = True
            deadline = now
            server.kill()
        if draining is not None and deadline is None and (drain.done or now >= draining):
            deadline = now + grace_s
            server.ask_to_stop()
    if killed:
        raise EngineEnded("vLLM did not stop in time and was killed", 128 + 9)
    if deadline is None:
        when = "" if ready else " before it was ready"
        raise EngineEnded(
            f"vLLM ended with code {server.exit_code}{when}; its log above says why",
            server.exit_code,
        )


def _patience(ready: bool, draining: float | None, deadline: float | None) -> float:
    """Seconds to wait for a signal; the end of the child is one (SIGCHLD)."""
    if deadline is not None:
        return max(0.05, deadline - time.monotonic())
    if draining is not None:
        return LOOK_S
    return 3600.0 if ready else PROBE_S


def _next_signal(stop: set[signal.Signals], timeout_s: float) -> int | None:
    received = signal.sigtimedwait(stop | {signal.SIGCHLD}, timeout_s)
    return received.si_signo if received else None


class _Server:
    """The child process, the group that it leads, and their guard.

    Args:
        command: the child's command line.
        env: its whole environment.
        mask: the signal mask that it starts with.
        grace_s: seconds that the guard gives it.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        mask: set[int | signal.Signals],
        grace_s: float,
    ) -> None:
        self.exit_code = 0
        # A session of its own: what kills the launcher's group spares the guard.
        self._guard = subprocess.Popen(
            [sys.executable, "-S", guard.__file__, str(grace_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._process = subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            start_new_session=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, mask),
        )
        assert self._guard.stdin is not None
        self._guard.stdin.write(b"%d\n" % self._process.pid)
        self._guard.stdin.flush()

    def running(self) -> bool:
        """Reap whatever has ended; False once the server itself has."""
        self._reap()
        return self._process.returncode is None

    def ask_to_stop(self) -> None:
        """Only the API server is told; it stops its engine in its own order."""
        self._signal(os.kill, signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group at once."""
        self._signal(os.killpg, signal.SIGKILL)

    def clear(self) -> None:
        """Kill what the server left in its group, and wait until it is gone."""
        self.kill()
        self._guard.kill()
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        until = time.monotonic() + _LEFTOVERS_S
        while self._reap() and time.monotonic() < until:
            time.sleep(0.02)

    def _reap(self) -> bool:
        """Take in every child that has ended; False when there is none left, ended or not."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            code = os.waitstatus_to_exitcode(status)
            if pid == self._guard.pid:
                self._guard.returncode = code
            elif pid == self._process.pid:
                self._process.returncode = code
                self.exit_code = code if code >= 0 else 128 - code

    def _signal(self, send: Callable[[int, int], None], number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # all of it has ended already
            send(self._process.pid, number)
