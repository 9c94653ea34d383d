"""How many may be inside: whoever is one too many is told so at the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import Refused

RETRY_S = 5
"""Seconds after which it is worth coming again: sessions end or pause about as often."""


class Admission:
    """Counts what is inside a process.

    Args:
        most: sessions or requests at once.
        most_for_key: the same for one key, or None.
        what: what is counted, for the message.
    """

    def __init__(self, most: int, most_for_key: int | None, what: str) -> None:
        self.most = most
        self.inside = 0
        self._most_for_key = most_for_key
        self._what = what
        self._by_key: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether the next one would be refused."""
        return self.inside >= self.most

    def check(self, name: str) -> None:
        """Whether there is room.

        Args:
            name: of the caller's key.

        Raises:
            Refused: there is none, for anybody or for this key.
        """
        if self.full:
            raise Refused("server_full", f"The server has no room for more {self._what}.", RETRY_S)
        if self._most_for_key is not None and self._by_key[name] >= self._most_for_key:
            text = f"This key has {self._most_for_key} {self._what} already, the most it may have."
            raise Refused("key_limit", text, RETRY_S)

    @contextmanager
    def admitted(self, name: str) -> Iterator[None]:
        """Be inside; `name` and errors as for `check`."""
        self.check(name)
        self.inside += 1
        self._by_key[name] += 1
        try:
            yield
        finally:
            self.inside -= 1
            self._by_key[name] -= 1
            if not self._by_key[name]:
                del self._by_key[name]
