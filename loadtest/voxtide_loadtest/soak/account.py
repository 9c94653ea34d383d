"""The sum of all sessions: what was said, what was heard, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..words import align, tokens
from .ledger import SLACK_S, Ledger, Turn

_OUTCOMES = ("final", "failed", "missing", "unfinished")


@dataclass
class Sessions:
    """Attributes:
    opened: sessions that a server let in.
    resumed: times that one went on over another connection.
    broken: sessions that ended before their time, by code.
    refused: tries to open one that failed, by code; the speaker tries again elsewhere.
    """

    opened: int = 0
    resumed: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


@dataclass
class Turns:
    """Attributes:
    said: that were committed.
    final, failed, missing: what became of those.
    unfinished: that were being said when a session broke.
    split: final transcripts of a part of a turn, by a server that had to stop.
    repeated: final transcripts that belong to no turn.
    """

    said: int = 0
    final: int = 0
    failed: int = 0
    missing: int = 0
    unfinished: int = 0
    split: int = 0
    repeated: int = 0


@dataclass
class Audio:
    """Seconds of audio.  Attributes:
    sent_s: that were given to the client.
    transcribed_s: that final transcripts stand for.
    lost_s: that none stands for.
    doubled_s: that more than one stands for.
    unheard_s: that the client says it could not send again; they are a part of what is lost.
    """

    sent_s: float = 0.0
    transcribed_s: float = 0.0
    lost_s: float = 0.0
    doubled_s: float = 0.0
    unheard_s: float = 0.0


@dataclass
class Words:
    """Words of the turns that were committed, against what the server hears alone.

    Attributes:
        said: that the server hears alone.
        lost: of these, that are in no final transcript.
        doubled: that came once more right beside themselves.
        inserted: other words that came and are not heard alone.
        substituted: that were heard as others.
    """

    said: int = 0
    lost: int = 0
    doubled: int = 0
    inserted: int = 0
    substituted: int = 0


@dataclass
class WrongTurn:
    """A turn of which something is lost or doubled, or that is not final.

    Attributes:
        clip: its id.
        start, end: its place in its session's audio, in seconds; `end` is None without a commit.
        outcome: as in the ledger.
        finals: (text, start, end) of its final transcripts.
    """

    clip: str
    start: float
    end: float | None
    outcome: str
    finals: list[tuple[str, float, float]]


@dataclass
class Account:
    """All of it; `errors` are the servers', by code, `wrong` the turns that are why the run is not
    clean."""

    sessions: Sessions = field(default_factory=Sessions)
    turns: Turns = field(default_factory=Turns)
    audio: Audio = field(default_factory=Audio)
    words: Words = field(default_factory=Words)
    errors: Counter[str] = field(default_factory=Counter)
    wrong: list[WrongTurn] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether all that was said is accounted for, once."""
        turns, audio = self.turns, self.audio
        answered = turns.final + turns.failed + turns.missing
        rest = audio.sent_s + audio.doubled_s - audio.transcribed_s - audio.lost_s
        return turns.said == answered and abs(rest) < SLACK_S * (answered + turns.unfinished + 1)

    def as_json(self) -> dict[str, Any]:
        """All fields, for JSON; `dataclasses.asdict` would break the counters."""
        return dict(orjson.loads(orjson.dumps(self)))

    @property
    def clean(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        turns, audio, words = self.turns, self.audio, self.words
        wrong = turns.failed + turns.missing + turns.unfinished + turns.repeated
        wrong += words.lost + words.doubled + self.sessions.broken.total()
        return self.balanced and not wrong and not audio.lost_s and not audio.doubled_s


def account(
    ledgers: Iterable[Ledger], alone: Mapping[str, Sequence[str]], refused: Counter[str]
) -> Account:
    """The sum.

    Args:
        ledgers: of all sessions, closed.
        alone: for each clip, by its id, the words that the server hears alone.
        refused: tries to open a session that failed, by code.
    """
    total = Account()
    total.sessions.refused += refused
    for ledger in ledgers:
        _add_session(total, ledger)
        for turn in ledger.turns:
            _add_turn(total.turns, turn)
            right = _add_audio(total.audio, turn, ledger.sent_s)
            if turn.end is not None:
                right &= _add_words(total.words, turn, alone[turn.clip.id])
            if not right or turn.outcome != "final":
                total.wrong.append(_wrong(turn))
    return total


def _add_session(total: Account, ledger: Ledger) -> None:
    total.sessions.opened += 1
    total.sessions.resumed += ledger.resumed
    if ledger.broken:
        total.sessions.broken[ledger.broken] += 1
    total.turns.split += ledger.split
    total.turns.repeated += ledger.repeated
    total.audio.sent_s += ledger.sent_s
    total.audio.unheard_s += ledger.unheard_s
    total.errors += ledger.errors


def _add_turn(turns: Turns, turn: Turn) -> None:
    assert turn.outcome in _OUTCOMES, "the ledger is closed"
    turns.said += turn.end is not None
    setattr(turns, turn.outcome, getattr(turns, turn.outcome) + 1)


def _wrong(turn: Turn) -> WrongTurn:
    return WrongTurn(turn.clip.id, turn.start, turn.end, turn.outcome, turn.finals)


def _add_audio(audio: Audio, turn: Turn, sent_s: float) -> bool:
    """Returns whether all of it was heard, once."""
    length = (sent_s if turn.end is None else turn.end) - turn.start
    gap = length - turn.heard_s
    if abs(gap) < SLACK_S:
        gap = 0.0
    audio.transcribed_s += length - gap
    audio.lost_s += max(0.0, gap)
    audio.doubled_s += max(0.0, -gap)
    return not gap


def _add_words(words: Words, turn: Turn, alone: Sequence[str]) -> bool:
    """Returns whether none was lost and none doubled."""
    heard = tokens(turn.text, turn.clip.language)
    found = align(tuple(alone), tuple(heard))
    words.said += len(alone)
    for name in ("lost", "doubled", "inserted", "substituted"):
        setattr(words, name, getattr(words, name) + getattr(found, name))
    return not found.lost and not found.doubled
