"""What goes wrong: one module for each fault, and the table of their names.

A fault is a coroutine that returns when all is well again, with a sentence that says what was
done. Chance comes from the `random.Random` that it is given.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ..stage import Stage
from .cut import cut
from .kill import kill
from .network import network
from .slow import slow
from .term import term

Happen = Callable[[Stage, random.Random], Awaitable[str]]


@dataclass(frozen=True)
class Fault:
    """One of them.

    Attributes:
        happen: lets it happen.
        ends_server: whether a server ends by it, and is started again.
    """

    happen: Happen
    ends_server: bool = False

    def possible(self, stage: Stage) -> bool:
        """Whether there is what it takes: a server that ends is there, and somebody is on it."""
        if not self.ends_server:
            return True
        return stage.mortal is not None and stage.mortal.ready and stage.proxies[0].connections > 0


FAULTS: Mapping[str, Fault] = {
    "cut": Fault(cut),
    "slow": Fault(slow),
    "network": Fault(network),
    "kill": Fault(kill, ends_server=True),
    "term": Fault(term, ends_server=True),
}
"""By name."""
