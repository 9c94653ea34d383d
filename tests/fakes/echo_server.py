"""A server that speaks OpenAI's dialect and "transcribes" by a script, with faults to order.

    python -m tests.fakes.echo_server --corpus tests/fixtures/nano --log log.json

It knows the clips by their frames, and sends each word when the audio that it has received has
passed the word's end and the delay; the rest, and the final transcript, at the commit. What it did
is in the log when it ends (SIGTERM): that is the truth which the load test has to find.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import logging
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from voxtide_loadtest.corpus import FRAME_S, Clip, load

TRANSCRIPTION = "conversation.item.input_audio_transcription."


@dataclass
class Log:
    """What was done.

    Attributes:
        words: of each word that was sent: when it was to be sent (Unix time) and how much later
            it was; "planted" if it was held back itself, not by one before it; "waited" if it was
            due when its time had come, not at the commit.
        stalls: begin and end of each that was ordered (Unix time).
        noise: how late the server was at most by itself, in seconds.
    """

    counts: Counter[str] = field(default_factory=Counter)
    words: list[dict[str, Any]] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    noise: float = 0.0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self)))


class Echo:
    """The server.

    Args:
        clips: with words and their ends.
        faults: the options of the command.
    """

    def __init__(self, clips: list[Clip], faults: argparse.Namespace) -> None:
        self.faults = faults
        self.log = Log()
        self.rng = random.Random(faults.seed)
        self.words = count(1)
        self.items = count(1)
        self.open = 0
        frames = [(frame, clip, at) for clip in clips for at, frame in numbered(clip, faults.rate)]
        often = Counter(frame for frame, _, _ in frames)  # silence says nothing
        self.clips = {frame: (clip, at) for frame, clip, at in frames if often[frame] == 1}

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse who is too many."""
        if self.faults.most is None or self.open < self.faults.most:
            return None
        self.log.counts["refused"] += 1
        error = {"error": {"code": "server_full", "type": "server_error", "message": "no room"}}
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, json.dumps(error))

    async def serve(self, socket: ServerConnection) -> None:
        """One session."""
        self.open += 1
        self.log.counts["sessions"] += 1
        session = EchoSession(self, socket)
        writer = asyncio.create_task(session.write())
        try:
            async for message in socket:
                session.receive(str(message))
        except ConnectionClosed:
            pass
        finally:
            self.open -= 1
            writer.cancel()

    async def stall(self) -> None:
        """Do nothing at all for a while, once."""
        await asyncio.sleep(self.faults.stall_after)
        began = time.time()
        time.sleep(self.faults.stall)  # noqa: ASYNC251
        self.log.stalls.append((began, time.time()))

    async def listen_to_itself(self) -> None:
        """How late this process gets to what is due."""
        while True:
            due, stalls = time.monotonic() + 0.02, len(self.log.stalls)
            await asyncio.sleep(0.02)
            if len(self.log.stalls) == stalls:
                self.log.noise = max(self.log.noise, time.monotonic() - due)


def numbered(clip: Clip, rate: int) -> Iterator[tuple[int, str]]:
    """The frames of a clip as they are sent."""
    for at, frame in enumerate(clip.frames(rate)):
        yield at, base64.b64encode(frame).decode()


class EchoSession:
    """One session: turns, and texts that wait for their time."""

    def __init__(self, server: Echo, socket: ServerConnection) -> None:
        self.server = server
        self.socket = socket
        self.outbox: asyncio.Queue[tuple[float, float, bool, str]] = asyncio.Queue()
        self.committing = False
        self.say({"type": "session.created", "session": {}})
        self.begin()

    def begin(self) -> None:
        """Another turn."""
        self.item = f"item_{next(self.server.items)}"
        self.clip: Clip | None = None
        self.frames = 0  # of the clip and of what came after it
        self.next = 0
        self.said: list[str] = []

    def receive(self, message: str) -> None:
        """Audio is known by its text alone."""
        if message.startswith('{"type":"input_audio_buffer.append"'):
            self.hear(message[message.index('"audio":"') + 9 : -2])
        elif message.startswith('{"type":"input_audio_buffer.commit"'):
            self.commit()
        else:
            delay = {"audio": {"input": {"transcription": {"delay_ms": self.server.faults.delay}}}}
            self.say({"type": "session.updated", "session": delay})

    def hear(self, audio: str) -> None:
        """A frame: the words whose time has come go out."""
        self.server.log.counts["frames"] += 1
        if self.clip is None:
            self.clip, self.frames = self.server.clips.get(audio, (None, 0))
        if self.clip is not None:
            self.frames += 1
            self.tell(self.frames * FRAME_S - self.server.faults.delay / 1000)

    def tell(self, up_to: float) -> None:
        """The words that end before a position."""
        assert self.clip is not None
        assert self.clip.words is not None
        # Where nobody knows when a word ends, all come at the end.
        ends = self.clip.ends or (len(self.clip.frames(24_000)) * FRAME_S,) * len(self.clip.words)
        while self.next < len(ends) and ends[self.next] <= up_to:
            self.word(self.clip.words[self.next])
            self.next += 1

    def word(self, word: str) -> None:
        """One word, or what a fault makes of it."""
        faults, log = self.server.faults, self.server.log
        number = next(self.server.words)
        if faults.drop_every and number % faults.drop_every == 0:
            log.counts["dropped"] += 1
            return
        late = faults.late if self.server.rng.random() < faults.late_share else 0.0
        text = f" {word}" if self.said else word
        if faults.double_every and number % faults.double_every == 0:
            log.counts["doubled"] += 1
            text += f" {word}"
        self.said.append(text)
        event = {"type": f"{TRANSCRIPTION}delta", "item_id": self.item, "delta": text}
        self.say(event, late)

    def commit(self) -> None:
        """The rest of the words that have been said, and all of them as one text."""
        self.committing = True
        if self.clip is not None:
            self.tell(self.frames * FRAME_S)
        self.committing = False
        self.say({"type": "input_audio_buffer.committed", "item_id": self.item})
        text = "".join(self.said)
        self.server.log.counts["turns"] += 1
        self.say({"type": f"{TRANSCRIPTION}completed", "item_id": self.item, "transcript": text})
        self.begin()

    def say(self, event: dict[str, Any], late: float = 0.0) -> None:
        """Put an event behind those that wait."""
        self.outbox.put_nowait((time.time(), late, not self.committing, json.dumps(event)))

    async def write(self) -> None:
        """Send what waits, in its order; what is late holds back what comes after it."""
        while True:
            due, late, waited, text = await self.outbox.get()
            await asyncio.sleep(max(0.0, due + late - time.time()) if late else 0.0)
            try:
                await self.socket.send(text)
            except ConnectionClosed:
                return
            if f"{TRANSCRIPTION}delta" in text:
                row = {"due": due, "late": time.time() - due, "planted": late > 0}
                self.server.log.words.append(row | {"waited": waited})


async def run(faults: argparse.Namespace) -> None:
    """Serve until SIGTERM; says on which port."""
    echo = Echo(load(faults.corpus), faults)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    options: dict[str, Any] = {"compression": None, "ping_interval": None, "close_timeout": 1}
    async with serve(
        echo.serve, "127.0.0.1", faults.port, process_request=echo.admit, **options
    ) as server:
        print(f"echo ready: http://127.0.0.1:{port_of(server)}/v1", flush=True)
        tasks = [asyncio.create_task(echo.listen_to_itself())]
        if faults.stall:
            tasks.append(asyncio.create_task(echo.stall()))
        await over.wait()
        for task in tasks:
            task.cancel()
    echo.log.write(Path(faults.log))


def port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


def main() -> None:
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)  # clients that hang up
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="")
    parser.add_argument("--log", default="/dev/null")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=int, default=24_000, help="of the audio, Hz")
    parser.add_argument("--delay", type=int, default=480, help="ms")
    parser.add_argument("--late-share", type=float, default=0.0, help="of deltas")
    parser.add_argument("--late", type=float, default=0.4, help="s")
    parser.add_argument("--drop-every", type=int, default=0, help="words")
    parser.add_argument("--double-every", type=int, default=0, help="words")
    parser.add_argument("--stall-after", type=float, default=2.0, help="s")
    parser.add_argument("--stall", type=float, default=0.0, help="s")
    parser.add_argument("--most", type=int, help="sessions")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
