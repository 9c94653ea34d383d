"""Evaluate a checkpoint through an unpatched vLLM's ``/v1/realtime`` on CPU.

``python -m nano.evaluate CHECKPOINT TESTSETS --report report.json`` starts the server on a free
port of the loopback interface, streams every set, stops the server, prints a table, and writes the
figures. ``--engine torch`` decodes in PyTorch instead: the same arithmetic in float32, much faster
on long streams.
"""

import argparse
import asyncio
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from websockets.asyncio.client import connect

from nano.decoding import Word, decode_all
from nano.export import loaded_model
from nano.labels import TOKEN_S
from nano.manifest import Samples, examples
from nano.scoring import Score, score

SETS: Final = (
    *("sentence", "voice", "engine", "human"),
    *("noisy-20db", "noisy-10db", "wordless", "long"),
)
STREAMS: Final = 8
_CHUNK_SAMPLES: Final = 16000
_START_TIMEOUT_S: Final = 300
_STOP_TIMEOUT_S: Final = 30
_LOG_LINES: Final = 30


@contextmanager
def served(checkpoint: Path, max_model_len: int, log: Path) -> Iterator[str]:
    """The address of a stock vLLM server that serves ``checkpoint`` as "nano"."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.launchers.api_server.entry"]
    command += ["--model", str(checkpoint.resolve()), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--served-model-name", "nano", "--tokenizer-mode", "mistral"]
    command += ["--config-format", "mistral", "--load-format", "mistral", "--enforce-eager"]
    command += ["--max-model-len", str(max_model_len)]
    environment = os.environ | {
        "VLLM_TARGET_DEVICE": "cpu",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        # No plugin: the endpoint under test is vLLM's own.
        "VLLM_PLUGINS": "",
        "HF_HUB_OFFLINE": "1",
    }
    # Being terminated ends the server too: it takes the way through "finally" below.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with log.open("wb") as output, tempfile.TemporaryDirectory() as elsewhere:
        server = subprocess.Popen(
            command,
            env=environment,
            cwd=elsewhere,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(server, f"http://127.0.0.1:{port}/health", log)
            yield f"ws://127.0.0.1:{port}/v1/realtime"
        finally:
            # The whole group: the engine and its worker are processes of their own.
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    limit = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < limit:
        if server.poll() is not None:
            raise RuntimeError(f"vLLM ended at start:\n{_tail(log)}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(1)
    raise TimeoutError(f"vLLM was not ready after {_START_TIMEOUT_S} s:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])


async def stream(url: str, audio: Samples) -> list[Word]:
    """Words that the stock endpoint returns for ``audio``, sent as fast as it goes.

    It sends one delta for each token, an empty one for blanks and word markers, so a word's time is
    told by its delta's number: its marker is the delta before.
    """
    async with connect(url, max_size=None, ping_interval=None) as socket_:

        async def send(**message: Any) -> None:
            await socket_.send(json.dumps(message))

        await send(type="session.update", model="nano")
        await send(type="input_audio_buffer.commit", final=False)
        for first in range(0, len(audio), _CHUNK_SAMPLES):
            data = base64.b64encode(audio[first : first + _CHUNK_SAMPLES].tobytes()).decode()
            await send(type="input_audio_buffer.append", audio=data)
        await send(type="input_audio_buffer.commit", final=True)
        words: list[Word] = []
        place = 0
        async for raw in socket_:
            message = json.loads(raw)
            if message["type"] == "transcription.delta":
                end = (place - 0.5) * TOKEN_S
                words += [Word(word, end) for word in message["delta"].split()]
                place += 1
            elif message["type"] == "transcription.done":
                return words
            elif message["type"] == "error":
                raise RuntimeError(f"the server answered {message['error']}")
    raise ConnectionError("the server closed the stream before its end")


async def stream_all(url: str, audios: Sequence[Samples]) -> list[list[Word]]:
    """The words of each audio, ``STREAMS`` streams at a time."""
    free = asyncio.Semaphore(STREAMS)

    async def one(audio: Samples) -> list[Word]:
        async with free:
            return await stream(url, audio)

    return await asyncio.gather(*(one(audio) for audio in audios))


def with_delay(checkpoint: Path, delay_ms: int, folder: Path) -> Path:
    """A copy of the checkpoint that vLLM serves at another delay."""
    copy = folder / f"delay-{delay_ms}"
    shutil.copytree(checkpoint, copy)
    tekken = json.loads((copy / "tekken.json").read_text())
    tekken["audio"]["transcription_delay_ms"] = delay_ms
    (copy / "tekken.json").write_text(json.dumps(tekken))
    return copy


def summary(result: Score) -> dict[str, Any]:
    """One set's figures for the report."""
    time_error = result.mean_time_error
    worst = sorted(result.confusions.items(), key=lambda item: -item[1])[:12]
    return {
        "utterances": result.utterances,
        "exact": result.exact,
        "words": result.words,
        "substituted": result.substituted,
        "deleted": result.deleted,
        "inserted": result.inserted,
        "word_error_rate": round(result.word_error_rate, 4),
        "mean_time_error_ms": None if time_error is None else round(time_error * 1000, 1),
        "confusions": dict(worst),
    }


def _print_row(name: str, figures: dict[str, Any]) -> None:
    rate = f"{figures['word_error_rate']:8.1%}" if figures["words"] else "       -"
    time_error = figures["mean_time_error_ms"]
    print(
        f"{name:10} {figures['utterances']:5} {figures['words']:6} {rate}"
        f" {figures['substituted']:5} {figures['deleted']:5} {figures['inserted']:5}"
        f" {'-' if time_error is None else time_error:>8}",
        flush=True,
    )


def evaluate(
    checkpoint: Path, testsets: Path, names: Sequence[str], engine: str, delay_ms: int
) -> dict[str, Any]:
    """Figures of every set: of all its voices and of each."""
    sets = {name: examples(testsets / name) for name in names}
    longest = max(len(one.audio) for set_ in sets.values() for one in set_)
    report: dict[str, Any] = {"engine": engine, "delay_ms": delay_ms, "sets": {}}
    print(
        f"{'set':10} {'utts':>5} {'words':>6} {'WER':>8} {'sub':>5} {'del':>5} {'ins':>5}  time ms"
    )

    def add(name: str, found: list[list[Word]]) -> None:
        scores = score(sets[name], found)
        report["sets"][name] = {voice: summary(one) for voice, one in scores.items()}
        _print_row(name, report["sets"][name]["all"])

    if engine == "torch":
        model = loaded_model(checkpoint)
        for name, set_ in sets.items():
            add(name, decode_all(model, [one.audio for one in set_], delay_ms // 80))
        return report
    with tempfile.TemporaryDirectory() as scratch:
        copy = with_delay(checkpoint, delay_ms, Path(scratch))
        log = Path(scratch) / "vllm.log"
        with served(copy, max(1024, longest // 1280 + 256), log) as url:
            for name, set_ in sets.items():
                add(name, asyncio.run(stream_all(url, [one.audio for one in set_])))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("testsets", type=Path)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--engine", choices=("vllm", "torch"), default="vllm")
    parser.add_argument("--delay", type=int, default=480, help="milliseconds")
    parser.add_argument("--report", type=Path)
    arguments = parser.parse_args()
    with torch.inference_mode():
        report = evaluate(
            arguments.checkpoint,
            arguments.testsets,
            arguments.sets,
            arguments.engine,
            arguments.delay,
        )
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
