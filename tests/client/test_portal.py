"""The loop in a thread that the blocking shell calls into."""

import asyncio
import signal
import threading
from contextlib import suppress

import pytest

from voxtide.errors import DisconnectedError
from voxtide.portal import Portal


class Interrupted(BaseException):
    """What a signal handler raises."""


async def nothing() -> None:
    pass


def test_a_call_that_a_signal_interrupts_is_cancelled():
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise ValueError("nobody waits for this") from None

    def interrupt(number: int, frame: object) -> None:
        raise Interrupted

    complaints: list[object] = []

    async def note_complaints() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: complaints.append(context))

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Portal() as portal:
            portal.call(note_complaints())
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Interrupted):
                portal.call(forever())
            assert cancelled.wait(5)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not complaints


def test_whoever_calls_while_the_portal_closes_gets_an_answer():
    def call_on(portal: Portal) -> None:
        with suppress(DisconnectedError):
            while True:
                portal.call(nothing())

    for _ in range(20):
        with Portal() as portal:
            callers = [threading.Thread(target=call_on, args=[portal]) for _ in range(4)]
            for caller in callers:
                caller.start()
        for caller in callers:
            caller.join(5)
            assert not caller.is_alive()
