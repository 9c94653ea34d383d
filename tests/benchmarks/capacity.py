"""Live streams that voxtide and stock vLLM carry within an SLO, with nano, on this machine.

    python -m tests.benchmarks.capacity --out capacity -- --measure 20

starts both servers and has `python -m voxtide_loadtest compare` search on both, their trials
taking turns; what comes after -- goes there. The generator shares the machine with the servers:
it runs in a session of its own, which the scheduler is told to prefer, where that is allowed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from voxtide_server.bench.servers import Server, running

CORPUS = Path(__file__).parents[1] / "fixtures" / "nano"
ROOM = 192
"""Sessions that neither server refuses."""
FLAGS = ["--max-num-seqs", str(ROOM), "--max-model-len", "1024"]
SETTINGS = {"VOXTIDE_MAX_SESSIONS": str(ROOM)}


def preferred() -> None:
    """Put this process before others, with its children; see autogroups in sched(7)."""
    os.setsid()
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("-15")


def described(server: Server) -> str:
    """As `compare` takes a server."""
    dialect = "vllm" if server.name == "stock" else "openai"
    about = f"name={server.name},dialect={dialect},model={server.model},delay_ms={server.delay_ms}"
    return f"http://{server.host},{about}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="capacity", help="OUT.json, OUT.csv and OUT.html")
    parser.add_argument("--corpus", default=str(CORPUS), help="with the ends of words")
    parser.add_argument("more", nargs="*", help="options of compare, after --")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = [
            stack.enter_context(running(name, "nano", FLAGS, Path(folder) / name, SETTINGS))
            for name in ("voxtide", "stock")
        ]
        compare = [sys.executable, "-m", "voxtide_loadtest", "compare", *map(described, servers)]
        command = [*compare, "--corpus", args.corpus, "--out", args.out, *args.more]
        return subprocess.run(command, preexec_fn=preferred, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
