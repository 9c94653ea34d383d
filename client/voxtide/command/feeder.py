"""Feeding a session from a thread, at the pace of speech."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..errors import VoxtideError
from ..sources.opened import Piece
from ..sync import Session


class Feeder:
    """Feeds pieces of audio on an absolute schedule, then finishes the session.

    A piece is sent when its last sample would have been spoken, so delays do not add up.

    Attributes:
        started: When the first sample was due, on `time.monotonic()`.
        position: How much audio has been fed, in seconds.
        failure: What ended the feeding early, if anything did.
    """

    def __init__(self, session: Session, pieces: Iterable[Piece], pace: float) -> None:
        self._session = session
        self._pieces = pieces
        self._pace = pace
        self._stopped = threading.Event()
        # A read from a terminal or a pipe cannot be interrupted, and must not hold up the exit.
        self._thread = threading.Thread(target=self._run, name="voxtide-feeder", daemon=True)
        self.started = time.monotonic()
        self.position = 0.0
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin now."""
        self.started = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Feed no more and close the session."""
        self._stopped.set()
        self._session.close()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        try:
            self._feed()
        except Exception as failed:
            # Reported by the thread that iterates: closing the session wakes it.
            self.failure = failed
            self._session.close()

    def _feed(self) -> None:
        for piece in self._pieces:
            if self._stopped.wait(self._seconds_until_spoken(piece)):
                return
            self.position = piece.end
            self._session.feed(piece.audio)
        self._session.finish()

    def _seconds_until_spoken(self, piece: Piece) -> float:
        if self._pace == 0:
            return 0.0
        return max(0.0, self.started + piece.end / self._pace - time.monotonic())


@contextmanager
def feeding(session: Session, pieces: Iterable[Piece], pace: float) -> Iterator[Feeder]:
    """Feed a session while the body iterates over it.

    Args:
        pace: Seconds of audio for each second of time; 0 feeds as fast as the server takes it.

    Raises what ended the feeding, where that is the reason why the session ended.
    """
    feeder = Feeder(session, pieces, pace)
    feeder.start()
    try:
        yield feeder
    except VoxtideError as error:
        if feeder.failure not in (None, error):
            raise feeder.failure from error
        raise
    finally:
        feeder.stop()
