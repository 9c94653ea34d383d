"""Stop a server whose launcher was killed and can no longer do it.

Run by the supervisor as a script, `guard.py GRACE_SECONDS`. Its stdin is a pipe
that the supervisor writes one line to, the server's process group, and then holds
open: the end of the pipe is the end of the supervisor, however that came about.

The kernel's own signal at the parent's death (PR_SET_PDEATHSIG) is not enough:
vLLM 0.32 loses a SIGTERM that comes while its engine starts.
"""

from __future__ import annotations

import os
import signal
import sys
import time


def main() -> None:
    """Wait for the supervisor's end, then end the group: politely, then for certain."""
    grace_s = float(sys.argv[1])
    line = sys.stdin.readline()
    sys.stdin.read()
    if not line:
        return
    group = int(line)
    try:
        os.kill(group, signal.SIGTERM)
        until = time.monotonic() + grace_s
        while time.monotonic() < until:
            os.killpg(group, 0)
            time.sleep(0.1)
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all of it has ended


if __name__ == "__main__":
    main()
