"""One session: what was said, and what was answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from ..corpus import FRAME_S, Clip

SLACK_S = FRAME_S / 2
"""Two places in the audio that are nearer than this are the same: servers round what they tell."""

Outcome = Literal["open", "final", "failed", "missing", "unfinished"]


@dataclass
class Turn:
    """A clip that is said.

    Attributes:
        clip: what is said.
        start, end: its place in the session's audio, in seconds; `end` is None until its commit.
        finals: (text, start, end) of its final transcripts, places in the session's audio in
            seconds: one, unless a server that had to stop ended it early.
        outcome: final; failed (the server said so); missing (committed, and no answer);
            unfinished (the session broke before the commit); open until then.
    """

    clip: Clip
    start: float
    end: float | None = None
    finals: list[tuple[str, float, float]] = field(default_factory=list)
    outcome: Outcome = "open"

    @property
    def heard_s(self) -> float:
        """Seconds of audio that its final transcripts stand for."""
        return sum(end - start for _, start, end in self.finals)

    @property
    def text(self) -> str:
        """All that was heard of it."""
        return " ".join(text for text, _, _ in self.finals)


class Ledger:
    """What happens in a session, in its order.

    Attributes:
        turns: in the order in which they were said.
        sent_s: seconds of audio that were given to the client.
        resumed: how often the session went on over another connection.
        unheard_s: seconds that the client could not send again, by its own account.
        repeated: final transcripts that belong to no turn.
        split: final transcripts of a part of a turn.
        errors: that the server reported, by code.
        broken: why the session ended before its time; "" if it did not.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.sent_s = 0.0
        self.resumed = self.repeated = self.split = 0
        self.unheard_s = 0.0
        self.errors: Counter[str] = Counter()
        self.broken = ""

    def begin(self, clip: Clip) -> None:
        """A clip is going to be said."""
        self.turns.append(Turn(clip, self.sent_s))

    def spoke(self, seconds: float) -> None:
        """So much of it is being sent."""
        self.sent_s += seconds

    def commit(self) -> None:
        """It has been said."""
        self.turns[-1].end = self.sent_s

    def resume(self, unheard_s: float) -> None:
        """The session goes on over another connection."""
        self.resumed += 1
        self.unheard_s += unheard_s

    def final(self, text: str, start: float | None, end: float | None) -> None:
        """A final transcript has come.

        Its place says whose it is; where the server tells none, it answers the oldest commit.
        """
        turn = self._owner(start, end)
        if turn is None:
            self.repeated += 1
            return
        if start is not None and end is not None:
            turn.finals.append((text, start, end))
            if turn.end is None or end < turn.end - SLACK_S:
                self.split += 1
                return
        elif turn.end is not None:
            turn.finals.append((text, turn.start, turn.end))
        turn.outcome = "final"

    def fail(self, code: str, *, of_turn: bool) -> None:
        """The server has reported an error; `of_turn`: instead of a transcript."""
        self.errors[code] += 1
        turn = self._oldest()
        if of_turn and turn is not None and turn.end is not None:
            turn.outcome = "failed"

    def close(self) -> None:
        """Nothing more is to come."""
        for turn in self.turns:
            if turn.outcome == "open":
                turn.outcome = "unfinished" if turn.end is None else "missing"

    def _oldest(self) -> Turn | None:
        return next((turn for turn in self.turns if turn.outcome == "open"), None)

    def _owner(self, start: float | None, end: float | None) -> Turn | None:
        """The turn that a final transcript is of; those before it have none."""
        turn = self._oldest()
        if start is None or end is None:
            return turn if turn is not None and turn.end is not None else None
        while turn is not None and turn.end is not None and start > turn.end - SLACK_S:
            turn.outcome = "missing"
            turn = self._oldest()
        return turn if turn is not None and end > turn.start + SLACK_S else None
