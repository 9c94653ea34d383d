"""Audio and commits on their way to a server, kept until it has acknowledged them.  No I/O.

Positions count the bytes of the stream's audio from its first sample, over all connections.
"""

import enum
from collections import deque


class Commit(enum.Enum):
    """What `Outbox.next` returns where a turn ends."""

    COMMIT = "commit"


class Outbox:
    """The audio that a server may have to hear again, and the turns it still owes.

    Args:
        limit: Bytes of audio that are kept, beside the context.
        context: Bytes that are kept before what is acknowledged, which a new connection hears
            again so that it understands what follows.
        drops: What happens beyond the limit: the oldest audio that has been sent is let go of
            (for a server that acknowledges nothing before the end of a turn), and the outbox is
            `full` of what has not; or it is until the server has acknowledged some.

    Attributes:
        fed: Position after the last byte.
        acknowledged: Position before which all is settled.
        owed: Where each turn ends that is committed and unanswered.
    """

    def __init__(self, limit: int, *, context: int, drops: bool) -> None:
        self.fed = self.acknowledged = 0
        self.owed: deque[int] = deque()
        self._limit = limit
        self._context = context
        self._drops = drops
        self._audio = bytearray()
        self._start = 0  # position of the first byte that is held
        self._cursor = 0
        self._committed = 0
        self._commits_sent = 0

    @property
    def uncommitted(self) -> bool:
        """Whether there is audio after the last commit."""
        return self.fed > self._committed

    @property
    def full(self) -> bool:
        """Whether no more audio should be added for now."""
        return self.fed - (self._cursor if self._drops else self.acknowledged) >= self._limit

    @property
    def cursor(self) -> int:
        """Position after what this connection has been given."""
        return self._cursor

    def add(self, audio: bytes) -> None:
        """Add audio at the end."""
        self._audio += audio
        self.fed += len(audio)

    def commit(self) -> None:
        """The turn ends here."""
        self.owed.append(self.fed)
        self._committed = self.fed

    def next(self, most: int) -> bytes | Commit | None:
        """What goes out next: audio, `most` bytes of it at the most, or a commit, or nothing."""
        end = self.fed
        if self._commits_sent < len(self.owed):
            end = self.owed[self._commits_sent]
            if end <= self._cursor:
                self._commits_sent += 1
                return Commit.COMMIT
        if end == self._cursor:
            return None
        first = self._cursor - self._start
        piece = bytes(self._audio[first : min(first + most, end - self._start)])
        self._cursor += len(piece)
        if self._drops:
            self._forget(min(self._cursor, self.fed - self._limit))
        return piece

    def acknowledge(self, position: int) -> None:
        """All before this is settled."""
        self.acknowledged = max(self.acknowledged, position)
        self._forget(min(self.acknowledged - self._context, self._cursor))

    def answered(self) -> int | None:
        """The server has answered the oldest commit: its position, or None if none is owed."""
        if not self.owed:
            return None
        self._commits_sent = max(0, self._commits_sent - 1)
        return self.owed.popleft()

    def rewind(self, since: int) -> int:
        """A new connection begins with what is not acknowledged, and the context before that.

        Args:
            since: Where the turn begins that is open there, at which the context ends.

        Returns:
            Bytes that would have to be heard again and are not held any more.
        """
        lost = max(0, self._start - self.acknowledged)
        context = min(self._context, max(0, self.acknowledged - since))
        self._cursor = max(self._start, self.acknowledged - context)
        self._commits_sent = 0
        return lost

    def _forget(self, position: int) -> None:
        if position > self._start:
            del self._audio[: position - self._start]
            self._start = position
