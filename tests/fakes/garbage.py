"""Whether objects go when they are done with, or wait for the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is freed in here that is still referred to, by itself for example."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def count(kind: type) -> int:
    """How many objects of a kind there are.

    Their types are looked at, and not the objects: isinstance() also asks an object for its
    `__class__`, and there are some, of torch for example, which warn of their end at that.
    """
    return sum(issubclass(type(thing), kind) for thing in gc.get_objects())


async def gone(kind: type) -> bool:
    """Whether there is none of a kind, at the latest after some seconds."""
    for _ in range(200):
        if not count(kind):
            return True
        await asyncio.sleep(0.02)
    return False
