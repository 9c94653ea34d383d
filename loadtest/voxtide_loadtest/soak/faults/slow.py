"""A client that does not read."""

from __future__ import annotations

import asyncio
import random

from ..stage import Stage


async def slow(stage: Stage, rng: random.Random) -> str:
    """One speaker speaks on and reads nothing for a while."""
    speaker = rng.choice(stage.speakers)
    speaker.reads.clear()
    try:
        await asyncio.sleep(stage.lasts_s)
    finally:
        speaker.reads.set()
    return f"a client did not read for {stage.lasts_s:g} s"
