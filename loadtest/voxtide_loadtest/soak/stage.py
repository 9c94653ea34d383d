"""What faults act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .netem import Link
from .proxy import Proxy
from .servers import LocalServer
from .speaker import Speaker


@dataclass(frozen=True)
class Stage:
    """Everything that can be hurt.

    Attributes:
        proxies: between the speakers and each server; the first is that of `mortal`.
        speakers: all of them.
        mortal: the server that may end, since another one stays; None if no server may.
        link: that all connections go over and the kernel can make worse; None if none is.
        lasts_s: how long a fault lasts that does not end by itself.
    """

    proxies: Sequence[Proxy]
    speakers: Sequence[Speaker]
    mortal: LocalServer | None
    link: Link | None
    lasts_s: float
