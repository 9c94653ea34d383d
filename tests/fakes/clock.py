"""The time as the runner sees it, which a test may let pass."""

from __future__ import annotations

import time


class Clock:
    """Stands in for the module `time`.

    Attributes:
        ahead: seconds that it is ahead of the real time.
    """

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead
