"""How many live streams one process of the load generator paces, against the echo server.

    python -m tests.benchmarks.generator --streams 300 --seconds 30

The generator (locust with the locust file, one process) is held to one core, the echo server to
another where there is one. CPU is user and system time of the generator for each second of audio
that it sent; unlike the slip it hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CORPUS = "tests/fixtures/nano"
LIMIT_MS = 10.0


def run(streams: int, seconds: int, more: list[str]) -> dict[str, Any]:
    """The summary of a run."""
    generator, server = core(0), core(1)
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        command = [sys.executable, "-m", "tests.fakes.echo_server", "--corpus", CORPUS]
        with subprocess.Popen(server + command, stdout=subprocess.PIPE, text=True) as echo:
            assert echo.stdout is not None
            host = echo.stdout.readline().split()[-1]
            locust = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless"]
            locust += ["--host", host, "--corpus", CORPUS, "--session", f"fixed:{seconds}"]
            locust += ["-u", str(streams), "-r", "50", "-t", f"{seconds + streams // 50}s"]
            locust += ["--summary", str(summary), "--only-summary", *more]
            try:
                subprocess.run(generator + locust, capture_output=True, check=False)
            finally:
                echo.terminate()
        return dict(json.loads(summary.read_text()))


def core(number: int) -> list[str]:
    """What holds a command to a core, where there are two and it can be held."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return ["taskset", "-c", str(cores[number])] if len(cores) > 1 else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument(
        "more", nargs="*", help="options of locust and of the locust file, after --"
    )
    args = parser.parse_args()
    figures = run(args.streams, args.seconds, args.more)
    slip, blocked = (figures["times_ms"][name] for name in ("schedule_slip", "write_blocked"))
    cost = figures["generator_cpu_ms_per_audio_s"]
    print("| streams | slip p50, ms | p99 | p99.9 | max | CPU, ms for 1 s of audio | core |")
    print("|---|---|---|---|---|---|---|")
    times = " | ".join(f"{slip[name]:.2f}" for name in ("p50", "p99", "p99_9", "max"))
    peak = figures["sessions"]["peak"]
    print(f"| {peak} | {times} | {cost:.2f} | {peak * cost / 10:.0f} % |")
    print(f"\n{blocked['n']} of {slip['n']} writes waited for the server for 10 ms or more")
    keeps_up = slip["p99"] < LIMIT_MS and peak >= args.streams
    print("keeps up" if keeps_up else f"DOES NOT KEEP UP: p99 {slip['p99']} ms, {peak} streams")
    sys.exit(not keeps_up)


if __name__ == "__main__":
    main()
