"""The supervisor's own end; what it does while vLLM runs is in test_launcher.py."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVER = "import os; print(os.getpid())"
PROGRAM = f"""
import os, signal, sys
from pathlib import Path
from voxtide_server import drain, supervisor
from voxtide_server.start_errors import EngineEnded

with drain.run_folder("127.0.0.1", 9) as folder:
    try:
        supervisor.run(
            [sys.executable, "-c", {SERVER!r}], dict(os.environ),
            health=supervisor.Health("127.0.0.1", 9), on_ready=print,
            drain=folder, drain_s=1, grace_s=1,
        )
    except EngineEnded as ended:
        code = ended.exit_code
os.kill(os.getpid(), getattr(signal, sys.argv[1]))
print("ended with", code)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_that_comes_after_the_end_does_not_change_the_exit_code(name: str) -> None:
    """A pod that has drained may get its SIGTERM while it ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ended with 1\n"), done.stderr
