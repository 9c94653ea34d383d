"""What `python -m voxtide_server` is from outside, without a model: address, signals, an engine.

It hears the clips of the corpus that the variable HEARING_CORPUS names, and writes its process
number to standard error. With HEARING_FAILS it does not start.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.client.fakes import Talk
from tests.loadtest.hearing import Hearing

ENGINE = ("-c", "import sys; sys.stdin.read()", "VLLM::EngineCore")


async def run(port: int) -> int:
    """Serve until SIGTERM (0) or the end of the engine (1)."""
    script = Hearing(Path(os.environ["HEARING_CORPUS"]))

    async def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await script(Talk(connection, asyncio.Event()))

    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    engine = await asyncio.create_subprocess_exec(
        sys.executable, *ENGINE, stdin=asyncio.subprocess.PIPE
    )
    async with serve(handle, "127.0.0.1", port, close_timeout=0.5):
        print(f"voxtide ready: http://127.0.0.1:{port}/v1 (fake)", flush=True)
        asked, dead = asyncio.create_task(over.wait()), asyncio.create_task(engine.wait())
        await asyncio.wait({asked, dead}, return_when=asyncio.FIRST_COMPLETED)
    if not dead.done():
        engine.kill()
        await dead
        return 0
    return 1


def main() -> None:
    print("process", os.getpid(), file=sys.stderr)
    if "HEARING_FAILS" in os.environ:
        sys.exit("no such model")
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    sys.exit(asyncio.run(run(parser.parse_args().port)))


if __name__ == "__main__":
    main()
