"""Feeding a session from whatever audio comes in: an iterable, a file object, a microphone."""

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..audio import Audio

if TYPE_CHECKING:
    from ..session import AsyncSession

Chunks: TypeAlias = IO[bytes] | Iterable[Audio] | AsyncIterable[Audio]
_Item = TypeVar("_Item")

PIECE_SECONDS = 0.08
"""Of raw audio that is read at a time: a frame of the model."""
# Chunks that a thread may be ahead of the session.
_AHEAD = 8


async def feed_from(
    session: "AsyncSession",
    source: Chunks,
    sample_rate: int,
    bytes_per_second: int,
    pace: float | None,
) -> None:
    """Feed a session to the source's end and finish it.

    Args:
        source: See `AsyncClient.stream`.
        sample_rate: In Hz.
        bytes_per_second: Of chunks of bytes.
        pace: Seconds of audio for each second; None as fast as it comes and is taken.

    An error of the source ends the session with that error.
    """
    try:
        loop = asyncio.get_running_loop()
        began, fed = loop.time(), 0.0
        async for chunk in _chunks(source, bytes_per_second):
            if pace is not None:
                fed += _seconds(chunk, sample_rate, bytes_per_second)
                await asyncio.sleep(began + fed / pace - loop.time())
            await session.feed(chunk)
        await session.finish()
    except Exception as error:  # whoever iterates is told
        session._fail(error)


def _chunks(source: Chunks, bytes_per_second: int) -> AsyncIterator[Audio]:
    piece = max(1, round(bytes_per_second * PIECE_SECONDS))
    if isinstance(source, asyncio.StreamReader):
        return _read(source, piece)
    if isinstance(source, AsyncIterable):
        return aiter(source)
    return _from_thread(_blocking(source, piece))


async def _read(source: asyncio.StreamReader, piece: int) -> AsyncIterator[bytes]:
    """All of a stream, whose own iteration is one over lines."""
    while data := await source.read(piece):
        yield data


def _blocking(source: Any, piece: int) -> Iterator[Audio]:
    if isinstance(source, bytes | bytearray | memoryview):
        return iter([source])
    if (read := getattr(source, "read1", None) or getattr(source, "read", None)) is not None:
        return iter(lambda: read(piece), b"")
    return iter(source)


def _seconds(chunk: Any, sample_rate: int, bytes_per_second: int) -> float:
    """The length of a chunk: an array has a row for each sample, whatever the channels."""
    if isinstance(chunk, bytes | bytearray | memoryview):
        return len(chunk) / bytes_per_second
    return len(chunk) / sample_rate


async def _from_thread(items: Iterator[_Item]) -> AsyncIterator[_Item]:
    """The items of an iterator that may block, taken in a thread.

    It is a daemon: a read from a pipe cannot be interrupted, and must not hold up the exit.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[_Item] | Exception | None] = asyncio.Queue()
    room, over = threading.Semaphore(_AHEAD), threading.Event()

    def put(item: tuple[_Item] | Exception | None) -> None:
        if not over.is_set():
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def take() -> None:
        try:
            for item in items:
                room.acquire()
                if over.is_set():
                    return
                put((item,))
            put(None)
        except Exception as error:
            put(error)

    threading.Thread(target=take, name="voxtide-source", daemon=True).start()
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            room.release()
            yield item[0]
    finally:
        over.set()
        room.release()
