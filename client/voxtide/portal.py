"""An event loop in a thread of its own, for the blocking shell to call into."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Generic, Self, TypeVar

from .errors import DisconnectedError

_Result = TypeVar("_Result")


class Portal:
    """Runs coroutines for threads that block; a context manager that leaves no thread behind."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="voxtide", daemon=True)
        self._closing = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._closing:
            self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def call(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """What the coroutine returns or raises.  Ctrl-C, or another signal that raises, cancels it.

        Raises DisconnectedError if the portal is closed before that.
        """
        call = _Call(coroutine)
        with self._closing:  # what is begun before the loop is told to stop has an end
            if self._closed:
                coroutine.close()
                raise DisconnectedError("the session has been closed")
            self._loop.call_soon_threadsafe(call.begin, self._loop)
        try:
            return call.result()
        except asyncio.CancelledError as over:
            raise DisconnectedError("the session has been closed") from over
        except BaseException:
            with self._closing:
                if not self._closed:
                    self._loop.call_soon_threadsafe(call.cancel)
            raise

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            self._loop.close()


class _Call(Generic[_Result]):
    """A coroutine on its way through the loop.  A plain lock wakes the thread that waits for it:
    every chunk that is fed is a call, and a `concurrent.futures.Future` takes more CPU for it."""

    def __init__(self, coroutine: Coroutine[Any, Any, _Result]) -> None:
        self._coroutine = coroutine
        self._task: asyncio.Task[_Result] | None = None
        self._running = threading.Lock()
        self._running.acquire()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the loop."""
        self._task = loop.create_task(self._coroutine)
        self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[_Result]) -> None:
        if not task.cancelled():
            task.exception()  # is not to be complained of if nobody waits any more
        self._running.release()

    def cancel(self) -> None:
        """In the loop."""
        if self._task is not None:
            self._task.cancel()

    def result(self) -> _Result:
        """Wait for it, in the calling thread."""
        self._running.acquire()
        assert self._task is not None
        return self._task.result()
