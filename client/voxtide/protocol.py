"""One stream over as many connections as it takes, as a state machine: no sockets, no clock.

Calls of the program and messages of the server go in, texts to send and events come out.  The
shell (`voxtide.aio`) only moves them.  The rules:

    state      feed, flush, finish      session accepted    error event    end of the connection
    OPENING    kept, not sent yet (1)   -> READY (2)        raised         raised
    READY      sent                     no event            ServerError    -> OPENING (3)

    1. RuntimeError before the first connection is accepted, and after finish().
    2. SessionReady at the first connection, Resumed at each later one.
    3. `lost` returns the error that it means; whether another connection is opened is the shell's
       business.  That one is sent again what the server has not acknowledged.

A commit is owed one answer: `completed` (Final) or `failed` (ServerError with its turn).  A stream
that is finished and is owed nothing is done; then the end of the connection is right.
"""

import enum
from collections import deque
from dataclasses import replace

from . import error_mapping
from .audio import Audio, AudioEncoder
from .dialects.base import (
    Acknowledged,
    Committed,
    Dialect,
    Message,
    Resume,
    Settings,
    error_in,
    parse,
)
from .errors import VoxtideError
from .events import (
    Event,
    Final,
    Partial,
    Resumed,
    Segment,
    ServerError,
    SessionReady,
    TurnEnded,
    TurnStarted,
    Word,
)
from .open_turn import OpenTurn
from .outbox import Commit, Outbox

# One append carries at most so much audio: no server's limit for a message is near.
_APPEND_SECONDS = 1.0
UNACKNOWLEDGED_SECONDS = 120.0
"""Audio that is kept for another connection at the most.  A voxtide server acknowledges within
some 35 s: 10 s may wait for the engine, 20 s lie between two acknowledgements."""
CONTEXT_SECONDS = 5.0
"""Audio before the acknowledged position that another connection hears again, if the turn is so
old, so that it understands what follows as one that had heard all."""
SIGN_SECONDS = 5.0
"""A voxtide server that is given so much audio answers something, whatever is said in it."""


class State(enum.Enum):
    """Where the connection stands; see the table at the top of the module."""

    OPENING = "opening"
    READY = "ready"


class Protocol:
    """The client's side of one stream.

    Args:
        dialect: That the server speaks.
        encoder: Of the audio that is fed.
        settings: Of the session.
    """

    def __init__(self, dialect: Dialect, encoder: AudioEncoder, settings: Settings) -> None:
        self._dialect = dialect
        self._encoder = encoder
        self._settings = settings
        self._bytes_per_second = encoder.rate * encoder.sample_bytes
        limit = int(UNACKNOWLEDGED_SECONDS * self._bytes_per_second)
        context = round(CONTEXT_SECONDS * encoder.rate) * encoder.sample_bytes
        self._outbox = Outbox(
            limit,
            context=context if dialect.acknowledges else 0,
            drops=not dialect.acknowledges,
        )
        self._texts: deque[str] = deque()
        self._state = State.OPENING
        self._accepted = self._finished = False
        self._turn = OpenTurn()
        self._previous: str | None = None
        # Turns that the server has ended, and those that an own commit has.
        self._detected: set[str] = set()
        self._confirmed: set[str] = set()
        self._confirms = dialect.confirms
        self._names: dict[str, str] = {}
        self._continued = ""
        self._offset = 0.0
        self._lost = 0.0
        self._transcribed = 0.0
        self._sign = 0
        self._reported: VoxtideError | None = None
        self.progress = 0

    @property
    def ready(self) -> bool:
        """Whether the server has accepted the settings."""
        return self._state is State.READY

    @property
    def done(self) -> bool:
        """Whether the program has finished and nothing more is to come."""
        return self._finished and not self._outbox.owed

    @property
    def full(self) -> bool:
        """Whether the server has to acknowledge something before more is fed."""
        return self._outbox.full

    @property
    def untranscribed(self) -> float | None:
        """Seconds of audio that may still be untranscribed; None if the server owes no answer.

        An upper bound: a server is silent over silence.
        """
        if not self._outbox.owed:
            return None
        return max(0.0, self._seconds(self._outbox.fed) - self._transcribed)

    @property
    def owes_a_sign(self) -> bool:
        """Whether the server has been given enough audio to have answered something by now."""
        given = self._outbox.cursor - self._sign
        return self._dialect.acknowledges and given >= SIGN_SECONDS * self._bytes_per_second

    @property
    def wire_bytes_per_second(self) -> int:
        """What one second of audio takes on the wire, in base64."""
        return self._bytes_per_second * 4 // 3

    # ---- the program -----------------------------------------------------------------

    def feed(self, audio: Audio) -> None:
        """Take a chunk of audio; see `AudioEncoder.encode` for its form."""
        self._check_open("feed")
        self._outbox.add(self._encoder.encode(audio))

    def flush(self) -> None:
        """End the turn."""
        self._check_open("flush")
        self._outbox.add(self._encoder.drain())
        self._outbox.commit()

    def finish(self) -> None:
        """End the stream, with its last turn if there is any audio of it."""
        self._check_open("finish")
        self._outbox.add(self._encoder.drain())
        if self._outbox.uncommitted:
            self._outbox.commit()
        self._finished = True

    # ---- to the server ---------------------------------------------------------------

    def opening(self) -> list[str]:
        """The first texts of a connection."""
        if not self._accepted:
            return self._dialect.opening(self._settings, None)
        return self._dialect.opening(self._settings, self._rewind())

    def next_text(self) -> str | None:
        """The next text to send; None if there is none for now."""
        if not self.ready:
            return None
        if not self._texts:
            item = self._outbox.next(int(_APPEND_SECONDS * self._bytes_per_second))
            if item is None:
                return None
            if isinstance(item, Commit):
                self._texts += self._dialect.commit()
            else:
                self._texts += self._dialect.append(item)
        return self._texts.popleft()

    def lost(self, code: int, reason: str) -> VoxtideError | None:
        """The connection has ended: the error that it means, or None if all had been said.

        Args:
            code: WebSocket close code, 1006 if the connection was lost.
            reason: The server's words, "" if it gave none.
        """
        self._state = State.OPENING
        self._texts.clear()
        if self.done:
            return None
        return error_mapping.from_close(code, reason, self._reported)

    def _rewind(self) -> Resume:
        position = self._outbox.acknowledged
        since = None if self._turn.start is None else self._position(self._turn.start)
        lost = self._outbox.rewind(position if since is None else since)
        self._lost = self._seconds(lost)
        self._sign = self._words_from
        self._turn.cut(self._seconds(position))
        self._names.clear()
        self._confirmed.clear()
        self._detected.clear()
        self._continued = self._turn.name
        at = self._seconds(self._outbox.cursor)
        if not self._dialect.acknowledges:
            self._offset = at  # the server counts from the new session's start
        start = None if since is None else self._seconds(since)
        return Resume(at, self._previous, start, self._seconds(self._words_from))

    @property
    def _words_from(self) -> int:
        """Position up to which all is acknowledged, or further, as far as this connection has been
        given the audio.  Of a new connection: where its words begin."""
        return max(self._outbox.cursor, self._outbox.acknowledged)

    # ---- from the server -------------------------------------------------------------

    def receive(self, message: str | bytes) -> Event | None:
        """The event of a message from the server; None if there is nothing to tell.

        Raises:
            ProtocolError: For a message that cannot be understood.
            VoxtideError: For an error in answer to the session's settings.
        """
        kind, data = parse(message)
        self._sign = self._words_from
        # Only an error that comes right before the end explains the end.
        self._reported = error_in(data) if kind == "error" else None
        if self._reported is not None and not self.ready:
            raise self._reported
        return self._take(self._dialect.message(kind, data))

    def _take(self, message: Message | None) -> Event | None:
        match message:
            case SessionReady():
                return self._become_ready(message)
            case Acknowledged():
                self._acknowledge(message)
                return None
            case Committed(turn):
                self._confirms = True
                self._confirmed.add(self._name(turn))
                return None
            case Partial():
                return self._partial(replace(message, turn=self._name(message.turn)))
            case Segment():
                return self._segment(replace(message, turn=self._name(message.turn)))
            case Final():
                return self._final(replace(message, turn=self._name(message.turn)))
            case TurnStarted() | TurnEnded():
                return self._boundary(replace(message, turn=self._name(message.turn)))
            case ServerError(turn=str(turn)):
                return self._failed(replace(message, turn=self._name(turn)))
        return message

    def _become_ready(self, event: SessionReady) -> Event | None:
        if self.ready:
            return None
        self._state = State.READY
        if not self._accepted:
            self._accepted = True
            return event
        at = self._seconds(self._words_from)
        return Resumed(at, self._turn.name, self._turn.text, self._lost)

    def _acknowledge(self, message: Acknowledged) -> None:
        self.progress += 1
        self._outbox.acknowledge(self._position(message.position))
        self._turn.settle(message.words, message.turn_start)

    def _partial(self, event: Partial) -> Partial:
        self.progress += 1
        end = self._shifted(event.end)
        event = replace(event, end=end)
        if end is not None:
            self._transcribed = max(self._transcribed, end)
        self._turn.add(event)
        return event

    def _segment(self, event: Segment) -> Segment:
        start, end = event.start + self._offset, event.end + self._offset
        event = replace(event, start=start, end=end, words=self._moved(event.words))
        self._transcribed = max(self._transcribed, end)
        return self._turn.segment(event)

    def _final(self, event: Final) -> Final:
        start, end = self._shifted(event.start), self._shifted(event.end)
        event = replace(event, start=start, end=end, words=self._moved(event.words))
        event = self._turn.final(event)
        self._close(event.turn, end)
        self._previous = event.turn or None
        return event

    def _failed(self, event: ServerError) -> ServerError:
        self._close(event.turn or "", None)
        return event

    def _close(self, turn: str, end: float | None) -> None:
        """The turn is final, or has failed."""
        self.progress += 1
        self._turn = OpenTurn()
        position = None if end is None else self._position(end)
        if self._answers_a_commit(turn):
            committed = self._outbox.answered()
            position = position if committed is None else committed
        if position is not None:
            self._transcribed = max(self._transcribed, self._seconds(position))
            self._outbox.acknowledge(position)

    def _answers_a_commit(self, turn: str) -> bool:
        if turn in self._detected:
            self._detected.discard(turn)
            return False
        if not self._confirms:
            return True
        confirmed = turn in self._confirmed
        self._confirmed.discard(turn)
        return confirmed

    def _boundary(self, event: TurnStarted | TurnEnded) -> Event | None:
        """Where a turn begins or ends; None if an earlier connection has told it."""
        if isinstance(event, TurnStarted):
            told, self._turn.started = self._turn.started, True
            event = replace(event, start=self._shifted(event.start))
        else:
            self._detected.add(event.turn)
            told, self._turn.ended = self._turn.ended, True
            event = replace(event, end=self._shifted(event.end))
        return None if told else event

    def _name(self, turn: str) -> str:
        """The name that the turn had in the first connection that brought it."""
        if self._continued:
            self._names[turn], self._continued = self._continued, ""
        name = self._names.get(turn, turn)
        self._turn.name = self._turn.name or name
        return name

    # ---- times -----------------------------------------------------------------------

    def _seconds(self, position: int) -> float:
        return position / self._bytes_per_second

    def _position(self, seconds: float) -> int:
        return round(seconds * self._encoder.rate) * self._encoder.sample_bytes

    def _shifted(self, time: float | None) -> float | None:
        return None if time is None else time + self._offset

    def _moved(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        if not self._offset:
            return words
        return tuple(Word(w.word, w.start + self._offset, w.end + self._offset) for w in words)

    def _check_open(self, call: str) -> None:
        if not self._accepted:
            raise RuntimeError(f"{call}() before the session is ready")
        if self._finished:
            raise RuntimeError(f"{call}() after finish()")
