"""One session as a state machine without sockets and without a clock.

Calls of the program become JSON texts to send, received texts become events.  Both shells
(`voxtide.aio`, `voxtide.sync`) only move those texts.  The rules:

    state        feed, flush, finish         session.updated    error event     end of connection
    OPENING      RuntimeError                -> READY           raised          raised
    READY        texts; finish: -> CLOSING   no event           ServerError     raised
    CLOSING      RuntimeError                no event           ServerError     raised

    A commit is owed one answer: `completed` (Final) or `failed` (ServerError with its turn).
    A session that is CLOSING and is owed nothing is done; then the end of the connection is right.
"""

import enum
from collections import deque
from collections.abc import Iterator

from . import error_mapping, wire
from .audio import Audio, PcmEncoder
from .errors import VoxtideError
from .events import Event, Final, Partial, Segment, ServerError, SessionReady

# One append carries at most so much audio: no server's limit for a message is near.
_APPEND_SECONDS = 1.0


class State(enum.Enum):
    """Where a session stands; see the table at the top of the module."""

    OPENING = "opening"
    READY = "ready"
    CLOSING = "closing"


class Protocol:
    """The client's side of one session.

    Args:
        sample_rate: Of the audio that is fed, in Hz; see `PcmEncoder`.
        model: Name of the model; None leaves the choice to the server.
        language: ISO 639-1 code such as "en"; None lets the model find out.
    """

    def __init__(self, sample_rate: int, *, model: str | None, language: str | None) -> None:
        self._encoder = PcmEncoder(sample_rate)
        self._settings = wire.session_update(self._encoder.rate, model, language)
        self._bytes_per_second = 2 * self._encoder.rate
        self._state = State.OPENING
        self._bytes_fed = 0
        # For each commit without an answer, the bytes that were fed before it.
        self._owed: deque[int] = deque()
        self._bytes_committed = 0
        self._transcribed = 0.0
        self._reported: VoxtideError | None = None

    @property
    def ready(self) -> bool:
        """Whether the server has accepted the settings."""
        return self._state is not State.OPENING

    @property
    def done(self) -> bool:
        """Whether the program has finished and nothing more is to come."""
        return self._state is State.CLOSING and not self._owed

    @property
    def untranscribed(self) -> float | None:
        """Seconds of audio that may still be untranscribed; None if the server owes no answer.

        An upper bound: a server is silent over silence.
        """
        if not self._owed:
            return None
        return max(0.0, self._bytes_fed / self._bytes_per_second - self._transcribed)

    @property
    def wire_bytes_per_second(self) -> int:
        """What one second of audio takes on the wire: PCM16 in base64."""
        return self._bytes_per_second * 4 // 3

    def open(self) -> str:
        """The first text to send."""
        return self._settings

    def feed(self, audio: Audio) -> Iterator[str]:
        """The texts that carry a chunk of audio; see `PcmEncoder.encode` for its form."""
        self._check_open("feed")
        return self._appends(self._encoder.encode(audio))

    def flush(self) -> list[str]:
        """The texts that end the turn."""
        self._check_open("flush")
        texts = [*self._appends(self._encoder.drain()), wire.commit()]
        self._owed.append(self._bytes_fed)
        self._bytes_committed = self._bytes_fed
        return texts

    def finish(self) -> list[str]:
        """The texts that end the session: those of `flush()`, none if no audio has come since."""
        self._check_open("finish")
        tail = list(self._appends(self._encoder.drain()))
        texts = self.flush() if self._bytes_fed > self._bytes_committed else []
        self._state = State.CLOSING
        return tail + texts

    def receive(self, message: str | bytes) -> Event | None:
        """The event of a message from the server; None if there is nothing to tell.

        Raises:
            ProtocolError: For a message that cannot be understood.
            VoxtideError: For an error in answer to the session's settings.
        """
        kind, data = wire.parse(message)
        # Only an error that comes right before the end explains the end.
        self._reported = wire.error_in(data) if kind == "error" else None
        if self._reported is not None and not self.ready:
            raise self._reported
        event = wire.event(kind, data)
        if isinstance(event, SessionReady):
            return self._become_ready(event)
        self._account(event)
        return event

    def closed(self, code: int, reason: str) -> VoxtideError | None:
        """What the end of the connection means: an error, or None if all had been said.

        Args:
            code: WebSocket close code, 1006 if the connection was lost.
            reason: The server's words, "" if it gave none.
        """
        if self.done:
            return None
        return error_mapping.from_close(code, reason, self._reported)

    def _check_open(self, call: str) -> None:
        if self._state is not State.READY:
            when = "before the session is ready" if not self.ready else "after finish()"
            raise RuntimeError(f"{call}() {when}")

    def _appends(self, pcm: bytes) -> Iterator[str]:
        self._bytes_fed += len(pcm)
        # Whole samples: the rate times two bytes is even.
        step = int(_APPEND_SECONDS * self._bytes_per_second)
        return (wire.append(pcm[at : at + step]) for at in range(0, len(pcm), step))

    def _become_ready(self, event: SessionReady) -> SessionReady | None:
        if self.ready:
            return None
        self._state = State.READY
        return event

    def _account(self, event: Event | None) -> None:
        """Keep the books of what the server owes and how far it has come."""
        match event:
            case Partial(end=float(end)) | Segment(end=end):
                self._transcribed = max(self._transcribed, end)
            case Final() | ServerError(turn=str()) if self._owed:
                committed = self._owed.popleft() / self._bytes_per_second
                self._transcribed = max(self._transcribed, committed)
