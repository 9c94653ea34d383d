"""The engine is killed."""

from __future__ import annotations

import random

from ..stage import Stage


async def kill(stage: Stage, rng: random.Random) -> str:
    """SIGKILL for the engine of a server, which ends by that and is started again."""
    assert stage.mortal is not None
    inside = stage.proxies[0].connections
    code = await stage.mortal.lose_engine()
    await stage.mortal.start()
    return f"with {inside} connections; the server ended with {code} and was started again"
