"""The engine is killed."""

from __future__ import annotations

import random

from ..stage import Stage


async def kill(stage: Stage, rng: random.Random) -> str:
    """SIGKILL for the engine of a server, which ends by that and is started again."""
    assert stage.mortal is not None
    code = await stage.mortal.lose_engine()
    await stage.mortal.start()
    return f"killed the engine; the server ended with {code} and was started again"
