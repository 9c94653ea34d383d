"""Memory that is free goes back to the system, also in a process that was forked."""

from __future__ import annotations

import subprocess
import sys

import pytest

BUSY_ONCE = """
import os, time
from pathlib import Path
from voxtide_server.vllm_engine import heap

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

def goes_back():
    before = resident_mb()
    blocks = [b"x" * 60_000 for _ in range(3000)]  # smaller than what glibc maps on its own
    last = blocks.pop()  # what is in use above keeps all below from going back by itself
    del blocks
    kept = resident_mb() - before
    until = time.monotonic() + 30
    while (left := resident_mb() - before) > 20 and time.monotonic() < until:
        time.sleep(0.05)
    print(kept > 150, left <= 20, flush=True)

heap.EVERY_S = 0.5
heap.keep_small()
goes_back()
if (child := os.fork()) == 0:
    goes_back()
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")
def test_what_is_free_goes_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUSY_ONCE], capture_output=True, text=True, timeout=90, check=True
    )
    assert done.stdout.splitlines() == ["True True", "True True"], done.stderr
