"""An event loop in a thread of its own, for the blocking shell to call into."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from .errors import DisconnectedError

_Result = TypeVar("_Result")


class Portal:
    """Runs coroutines for threads that block; a context manager that leaves no thread behind."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="voxtide", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def call(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """What the coroutine returns or raises.  Ctrl-C cancels it.

        Raises DisconnectedError if the portal is closed before that.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as over:  # the loop is closed
            coroutine.close()
            raise DisconnectedError("the session has been closed") from over
        try:
            return future.result()
        except concurrent.futures.CancelledError as over:
            raise DisconnectedError("the session has been closed") from over
        except BaseException:
            future.cancel()
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
