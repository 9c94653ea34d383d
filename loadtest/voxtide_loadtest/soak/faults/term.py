"""A server is asked to stop."""

from __future__ import annotations

import random

from ..stage import Stage


async def term(stage: Stage, rng: random.Random) -> str:
    """SIGTERM for a server, which ends in good order and is started again."""
    assert stage.mortal is not None
    inside = stage.proxies[0].connections
    code = await stage.mortal.stop()
    await stage.mortal.start()
    return f"with {inside} connections; the server ended with {code} and was started again"
