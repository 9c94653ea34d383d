"""A bad network: by the kernel where the soak has a link for that, else by the proxy.

Packets that are lost are not seen above TCP: they are sent again after a retransmission timeout,
and all that follows waits for them. So the proxy holds bytes back, always a little and now and
then for as long as such a timeout takes.
"""

from __future__ import annotations

import asyncio
import random

from ..stage import Stage

DELAY_S = (0.05, 0.15)
"""One way, least and most."""
LOSS = 0.02
"""Share of pieces that have to be sent again."""
RETRANSMISSION_S = (0.2, 1.0)
"""Until they are: the least timeout of Linux, and the initial one of RFC 6298."""


async def network(stage: Stage, rng: random.Random) -> str:
    """Delay and loss on all connections for a while."""
    if stage.link is None:
        return await _by_proxy(stage, rng)
    try:
        done = await stage.link.worsen()
        await asyncio.sleep(stage.lasts_s)
    finally:
        await stage.link.mend()
    return f"{done} for {stage.lasts_s:g} s"


async def _by_proxy(stage: Stage, rng: random.Random) -> str:
    def hold() -> float:
        lost = rng.random() < LOSS
        return rng.uniform(*DELAY_S) + (rng.uniform(*RETRANSMISSION_S) if lost else 0.0)

    for proxy in stage.proxies:
        proxy.hold = hold
    try:
        await asyncio.sleep(stage.lasts_s)
    finally:
        for proxy in stage.proxies:
            proxy.hold = None
    return f"delay and loss in the proxy for {stage.lasts_s:g} s"
