"""When to try again after an error that may pass, and how long to wait before.  No I/O.

The wait doubles from try to try up to a limit, and a random part of it is left out, so that the
clients that a server turned away do not come back together (exponential backoff with jitter).
What a server asks for itself, in the header Retry-After, counts for more.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

# The wait is at its limit long before; a larger power would not fit a float.
_LAST_DOUBLING = 60


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next try.

    Attributes:
        first: Wait before the second try, in seconds.
        longest: Limit of a wait that the server did not ask for, in seconds.
        patience: Limit of a wait that the server asked for, in seconds.
        jitter: Part of a wait that may be left out by chance, 0 to 1.
        random: A number from 0 to 1, another one at each call.
    """

    first: float = 0.5
    longest: float = 8.0
    patience: float = 60.0
    jitter: float = 0.5
    random: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        for name in ("first", "longest", "patience"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 seconds or more")
        if not 0 <= self.jitter <= 1:
            raise ValueError("jitter must be from 0 to 1")

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds to wait.

        Args:
            attempt: How many tries have failed before the last one: 0 after the first failure.
            retry_after: What the server asked for, in seconds.  It is never cut short but by
                `patience`; the random part comes on top then, `first` seconds at the most.
        """
        if retry_after is not None:
            return min(retry_after, self.patience) + self.first * self.jitter * self.random()
        whole = min(self.longest, self.first * 2.0 ** min(attempt, _LAST_DOUBLING))
        return whole * (1.0 - self.jitter * self.random())


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that an answer's Retry-After asks for; None if it asks for nothing readable.

    RFC 9110, section 10.2.3: a number of seconds, or a date.  A date is compared with the answer's
    own Date where there is one: the server's clock need not agree with ours.

    Args:
        headers: Of the answer; names are looked up in small letters.
        now: Stands in for a missing Date; None takes the clock.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = _date(text)
    if until is None:
        return None
    since = _date(headers.get("date", "")) or now or datetime.now(UTC)
    return max(0.0, (until - since).total_seconds())


def _date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # slow to import, and hardly ever needed

    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
