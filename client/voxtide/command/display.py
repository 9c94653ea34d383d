"""How far many files have come: bars on a terminal, nothing elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ..upload import OnProgress


class Quiet:
    """Shows nothing."""

    def began(self, name: str) -> OnProgress | None:
        """A file's turn has come; what is returned wants to be told of its progress."""
        return None

    def ended(self, name: str) -> None:
        """A file is through, one way or another."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Out of the way while the body prints."""
        yield


def shown(total: int) -> AbstractContextManager[Quiet]:
    """The display for so many files; without rich (extra `cli`) there are no bars."""
    if not sys.stderr.isatty():
        return nullcontext(Quiet())
    try:
        from .bars import bars
    except ImportError:
        return nullcontext(Quiet())
    return bars(total)
