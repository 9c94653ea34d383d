"""Time of an engine's step: live streams fed by the adapter, without WebSockets and sessions.

    python -m tests.benchmarks.step_time --streams 1 8 32
    python -m tests.benchmarks.step_time --true-size --streams 1 8 32 64 --age 2000
    python -m tests.benchmarks.step_time --true-size --streams 1 8 32 -- \\
        --scheduler-cls vllm.v1.core.sched.scheduler.Scheduler

The engine starts with the flags of this machine's profile; what comes after -- wins, as with
`voxtide serve`. --true-size takes the sizes of the 4B model with weights that vLLM makes up by
chance: its words mean nothing, its arithmetic is the same. Streams that are there are kept, and
for each number of them

- as fast as it goes: each has three frames queued, for --seconds; until all are --age tokens old
  they are fed in the same way;
- in real time: a frame each 80 ms, the streams spread over it; latency is from feeding a frame to
  its token, and a backlog (frames without a token at the end) says that they fell behind.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from voxtide_server import checkpoint, launcher
from voxtide_server.engine import FRAME_S, FRAME_SAMPLES, Listener, Samples
from voxtide_server.errors import VoxtideError

QUEUED = 3
"""Frames of a stream, as fast as it goes."""
SETTLE_S = 1.0
COLUMNS = (
    *("streams", "age", "frames/s", "ms for a frame of each", "p50, ms", "p95, ms", "backlog"),
    *("API server, CPU ms/frame", "engine, CPU ms/frame"),
)
VOCABULARY = 131_072
DECODER = {
    "dim": 3072, "n_layers": 26, "head_dim": 128, "hidden_dim": 9216, "n_heads": 32,
    "n_kv_heads": 8, "vocab_size": VOCABULARY, "sliding_window": 8192,
}  # fmt: skip
ENCODER = {
    "dim": 1280, "n_layers": 32, "head_dim": 64, "hidden_dim": 5120, "n_heads": 32,
    "n_kv_heads": 32, "vocab_size": VOCABULARY, "sliding_window": 750,
}  # fmt: skip
"""Of Voxtral-Mini-4B-Realtime-2602's params.json."""


def true_size(folder: Path) -> Path:
    """A checkpoint of the 4B model's sizes without weights, its tokens made up like nano's."""
    params = json.loads((checkpoint.NANO_FOLDER / "params.json").read_text())
    params |= DECODER
    params["multimodal"]["whisper_model_args"]["encoder_args"] |= ENCODER
    (folder / "params.json").write_text(json.dumps(params))
    tekken = json.loads((checkpoint.NANO_FOLDER / "tekken.json").read_text())
    count = VOCABULARY - len(tekken["special_tokens"])
    spelt = ("".join(word).encode() for word in itertools.product("abcdefghijklmnop", repeat=5))
    pieces = [*(bytes([byte]) for byte in range(256)), *itertools.islice(spelt, count - 256)]
    tekken["vocab"] = [
        {"rank": rank, "token_bytes": base64.b64encode(piece).decode(), "token_str": None}
        for rank, piece in enumerate(pieces)
    ]
    tekken["config"] |= {"num_vocab_tokens": count, "default_vocab_size": VOCABULARY}
    (folder / "tekken.json").write_text(json.dumps(tekken))
    return folder


class Stream(Listener):
    """A stream that feeds itself anew with each token, while it is told to."""

    def __init__(self, engine: Any, name: str, noise: Samples) -> None:
        layout = engine.layout
        begin = layout.prompt * FRAME_SAMPLES + layout.look_ahead
        self._window = noise[: FRAME_SAMPLES + layout.look_back + layout.look_ahead]
        self._fed: deque[float] = deque([time.perf_counter()])
        self.keeps_on = False
        self.tokens = 0
        self.latencies: list[float] = []
        self._stream = engine.open(name, self)
        self._stream.feed(noise[:begin])

    @property
    def backlog(self) -> int:
        """Frames that have no token yet."""
        return len(self._fed)

    def feed(self) -> None:
        """One frame."""
        self._fed.append(time.perf_counter())
        self._stream.feed(self._window)

    def token(self, token: int, logprob: float | None = None) -> None:
        self.tokens += 1
        self.latencies.append(time.perf_counter() - self._fed.popleft())
        if self.keeps_on:
            self.feed()

    def lost(self, error: VoxtideError) -> None:
        raise error


async def fast(streams: list[Stream], seconds: float, age: int) -> float:
    """Frames a second, of all streams."""
    for one in streams:
        one.keeps_on = True
        for _ in range(QUEUED):
            one.feed()
    await asyncio.sleep(SETTLE_S)
    while min(one.tokens for one in streams) < age:
        await asyncio.sleep(0.1)
    before, began = sum(one.tokens for one in streams), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(one.tokens for one in streams) - before) / (time.perf_counter() - began)
    for one in streams:
        one.keeps_on = False
    await answered(streams)
    return rate


async def answered(streams: list[Stream]) -> None:
    """Wait until every frame has its token."""
    async with asyncio.timeout(60):
        while any(one.backlog for one in streams):
            await asyncio.sleep(0.01)


async def paced(streams: list[Stream], seconds: float) -> int:
    """In real time; the frames that had no token at the end."""

    async def speak(one: Stream, offset: float) -> None:
        for number in range(round(seconds / FRAME_S)):
            await asyncio.sleep(began + offset + number * FRAME_S - time.perf_counter())
            one.feed()

    began = time.perf_counter()
    for one in streams:
        one.latencies.clear()
    offsets = np.linspace(0.0, FRAME_S, len(streams), endpoint=False)
    async with asyncio.TaskGroup() as tasks:
        for one, offset in zip(streams, offsets, strict=True):
            tasks.create_task(speak(one, float(offset)))
    backlog = sum(one.backlog for one in streams)
    await answered(streams)
    return backlog


def cpu_s() -> dict[str, float]:
    """CPU seconds of this process, and of all that vLLM started."""
    me = psutil.Process()
    times = {"API server": [me], "engine": me.children(recursive=True)}
    return {
        name: sum(sum(one.cpu_times()[:2]) for one in processes)
        for name, processes in times.items()
    }


async def measure(engine: Any, counts: list[int], seconds: float, age: int) -> None:
    """Print a row for each number of streams."""
    noise = (np.random.default_rng(0).standard_normal(1 << 18) * 0.1).astype(np.float32)
    streams: list[Stream] = []
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for count in counts:
        while len(streams) < count:
            streams.append(Stream(engine, f"{len(streams)}", noise))
            await answered(streams)
        rate = await fast(streams, seconds, age)
        before = cpu_s()
        backlog = await paced(streams, seconds)
        frames = sum(len(one.latencies) for one in streams)
        used = {name: (at - before[name]) / frames * 1e3 for name, at in cpu_s().items()}
        p50, p95 = np.percentile([at for one in streams for at in one.latencies], (50, 95)) * 1e3
        oldest = engine.layout.prompt + max(one.tokens for one in streams)
        row = (
            *(f"{count}", f"{oldest}", f"{rate:.0f}", f"{count / rate * 1e3:.1f}"),
            *(f"{p50:.0f}", f"{p95:.0f}", f"{backlog}"),
            *(f"{used['API server']:.2f}", f"{used['engine']:.2f}"),
        )
        print("| " + " | ".join(row) + " |", flush=True)


async def run(args: argparse.Namespace, folder: Path) -> None:
    profile = launcher.choose_profile(None)
    os.environ.update(launcher.environment(profile, os.environ))  # vLLM reads it when imported

    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser
    from vllm.v1.engine.async_llm import AsyncLLM

    from voxtide_server.vllm_engine.engine import VllmEngine

    made_up = checkpoint.Checkpoint("sizes", folder, 480)
    model = made_up if args.true_size else checkpoint.resolve(checkpoint.NANO)
    dummy = ["--load-format", "dummy"] if args.true_size else []
    command = launcher.command(model, [model.name], profile, "127.0.0.1", 0, [*dummy, *args.more])
    parser = make_arg_parser(FlexibleArgumentParser())
    given = parser.parse_args(command[command.index("--model") :])
    llm = AsyncLLM.from_engine_args(AsyncEngineArgs.from_cli_args(given))
    try:
        await measure(VllmEngine(llm, (model.name,), None), args.streams, args.seconds, args.age)
    finally:
        llm.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--age", type=int, default=0, help="tokens that every stream has had first")
    parser.add_argument("--true-size", action="store_true", help="the 4B model's, without weights")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:at])
    args.more = sys.argv[at + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        if args.true_size:
            true_size(Path(folder))
        asyncio.run(run(args, Path(folder)))


if __name__ == "__main__":
    main()
