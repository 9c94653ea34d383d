"""What ends the feeding, and who is told."""

import threading

import pytest

import voxtide
from voxtide.command.feeder import feeding
from voxtide.sources.opened import Piece


class Session:
    """One that fails when it is fed, and is closed then."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure
        self._closed = threading.Event()

    def feed(self, audio: object) -> None:
        raise self._failure

    def close(self) -> None:
        self._closed.set()

    def __iter__(self):
        self._closed.wait(10)
        raise voxtide.DisconnectedError("the session has been closed")


@pytest.mark.parametrize(
    "failure", [voxtide.DeadlineError("the server took no audio"), OSError("the disk is gone")]
)
def test_what_ended_the_feeding_is_told_and_not_what_followed(failure):
    session = Session(failure)
    with (
        pytest.raises(type(failure), match=str(failure)),
        feeding(session, [Piece(bytes(320), 0.01)], 0),
    ):
        list(session)
