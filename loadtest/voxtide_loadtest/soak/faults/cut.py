"""Connections are cut."""

from __future__ import annotations

import random

from ..stage import Stage


async def cut(stage: Stage, rng: random.Random) -> str:
    """Lose all connections to one of the servers, without a goodbye."""
    used = [proxy for proxy in stage.proxies if proxy.connections]
    if not used:
        return "there was no connection to cut"
    chosen = rng.choice(used)
    lost = chosen.connections
    chosen.cut()
    return f"cut {lost} connections"
