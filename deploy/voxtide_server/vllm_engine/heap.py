"""What is free in the heap goes back to the system.

glibc keeps memory that is free between blocks in use, so a process that was busy once stays as
large as it was then, and a little of it is lost between blocks whenever the load changes. A
server lives for weeks, and its memory should tell whether something leaks.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time

EVERY_S = 30.0


def keep_small() -> None:
    """Give back what is free, now and then, in this process and in those forked from it."""
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        return  # not glibc
    _begin()
    os.register_at_fork(after_in_child=_begin)


def _begin() -> None:
    threading.Thread(target=_now_and_then, name="voxtide-heap", daemon=True).start()


def _now_and_then() -> None:
    libc = ctypes.CDLL(None)
    while True:
        time.sleep(EVERY_S)
        libc.malloc_trim(0)
