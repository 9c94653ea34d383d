"""Sessions on an engine that stalls, is full, loses streams or dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.clock import Clock
from tests.fakes.engine import (
    LAYOUT,
    FakeEngine,
    FakeListener,
    FakeStream,
    LostStream,
    StalledStream,
    UnplacedStream,
    say,
    silence,
)
from voxtide_server import runner
from voxtide_server.config import Config
from voxtide_server.engine import Listener, Samples
from voxtide_server.errors import EngineDead, EngineFailed, VoxtideError
from voxtide_server.events import Audio, Clear, Commit, Completed, Delta, Event, Failed
from voxtide_server.runner import CUT_OFF_S, Limits, Runner
from voxtide_server.session import Session
from voxtide_server.watch import Progress

LIVE = runner.live(Config())


class Client:
    """A session on an engine, and what it was told.

    Attributes:
        events: all that it was told.
        ends: why it could not go on; one at the most.
    """

    def __init__(self, engine: FakeEngine, name: str = "s", limits: Limits = LIVE) -> None:
        self.events: list[Event] = []
        self.ends: list[VoxtideError] = []
        self.session = Session(name, LAYOUT, engine.vocabulary)
        self.runner = Runner(
            self.session,
            engine,
            self.events.append,
            self.ends.append,
            limits,
            Progress("live", "", LAYOUT),
        )

    def say(self, *pieces: Samples) -> None:
        self.runner.command(Audio(np.concatenate(pieces)))

    def commit(self) -> None:
        self.runner.command(Commit())

    async def answered(self) -> None:
        """Wait until the engine has answered everything."""
        await until(lambda: self.session.backlog_s == 0)

    async def final(self, number: int = 0) -> Completed | Failed:
        """Wait for this turn to be final."""
        await until(lambda: len(self.finals) > number)
        return self.finals[number]

    @property
    def finals(self) -> list[Completed | Failed]:
        return [e for e in self.events if isinstance(e, Completed | Failed)]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def watched() -> None:
    """Let the runner look after its streams several times."""
    await asyncio.sleep(10 * runner.WATCH_S)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The runner's, which looks after its streams at every turn."""
    clock = Clock()
    monkeypatch.setattr(runner, "time", clock)
    monkeypatch.setattr(runner, "WATCH_S", 0.01)
    return clock


@pytest.fixture
async def engine(clock: Clock) -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def client(engine: FakeEngine) -> AsyncIterator[Client]:
    client = Client(engine)
    yield client
    await client.runner.close()
    assert engine.live == 0, "every stream was given back"


# ---- streams that stall ------------------------------------------------------------


async def test_a_stalled_stream_is_lost_and_its_audio_heard_again(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    engine.begin_with(StalledStream)
    client.say(silence(0.5), say(1), silence(0.7), say(2), silence(1.0))
    await until(lambda: engine.answered == StalledStream.answers)
    clock.ahead += LIVE.stall_s - 2
    await watched()
    assert engine.opened == 1, "it may be only slow"
    clock.ahead += 3
    await until(lambda: engine.opened == 2)
    client.commit()
    final = await client.final()
    assert isinstance(final, Completed)
    assert final.text == "w1 w2"
    assert (engine.opened, engine.live, client.ends) == (2, 0, [])


async def test_a_stream_that_answers_late_is_not_lost(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    client.say(say(1), silence(0.7))
    await client.answered()
    for _ in range(2):  # it is the time since the last token that counts
        engine.going.clear()
        client.say(silence(1.0))
        clock.ahead += LIVE.stall_s - 2
        await watched()
        client.say(silence(0.1))
        engine.going.set()
        await client.answered()
    assert (engine.opened, engine.live) == (1, 1)


async def test_a_stream_that_is_slow_is_not_lost(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    pace = asyncio.Semaphore(0)

    class SlowStream(FakeStream):
        async def _run(self) -> None:
            listener = FakeListener()
            while True:
                window = await self._windows.get()
                await pace.acquire()
                engine.answered += 1
                self._listener.token(listener.hear(window))

    engine.kind = lambda _: SlowStream
    client.say(silence(2.0))
    for answered in range(5):  # and there is always audio that waits
        clock.ahead += LIVE.stall_s - 2
        await watched()
        pace.release()
        await until(lambda: engine.answered > answered)  # noqa: B023 - awaited at once
    assert (engine.opened, engine.live) == (1, 1)


async def test_a_stream_with_nothing_to_do_is_not_lost(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    client.say(say(1), silence(0.3))
    await client.answered()
    for _ in range(20):
        clock.ahead += LIVE.idle_s - 1  # a client that sends a sample now and then
        client.say(silence(0.0001))
        await asyncio.sleep(2 * runner.WATCH_S)
    engine.going.clear()
    client.say(silence(0.5))  # only now there is something to wait for
    await watched()
    assert (engine.opened, engine.live) == (1, 1)


async def test_a_stream_that_stalls_time_and_again_fails_its_turn_and_no_other(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    engine.begin_with(*[StalledStream] * 4)
    client.say(silence(1.0))
    for losses in range(4):
        assert not client.finals
        await until(lambda: engine.answered == 5 * (losses + 1))  # noqa: B023 - awaited at once
        clock.ahead += LIVE.stall_s + 1
        await until(lambda: engine.opened == losses + 2 or client.finals)  # noqa: B023
    failed = await client.final()
    assert isinstance(failed, Failed)
    assert failed.error.traits.retryable
    client.say(say(2), silence(0.5))
    client.commit()
    final = await client.final(1)
    assert isinstance(final, Completed)
    assert (final.text, client.ends) == ("w2", [])


# ---- streams that get no place -----------------------------------------------------


async def test_a_stream_that_never_gets_a_place_fails_with_a_retryable_error(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    engine.begin_with(UnplacedStream)
    client.say(say(1, 2.0))
    clock.ahead += LIVE.queue_s - 2
    await watched()
    assert not client.finals, "it may wait for that long, though not with a token behind it"
    clock.ahead += 3
    failed = await client.final()
    assert isinstance(failed, Failed)
    assert (failed.error.code, failed.error.traits.retryable) == ("engine_failed", True)
    assert engine.opened == 1, "another would have to wait as long"
    client.say(say(2), silence(0.5))
    client.commit()
    final = await client.final(1)
    assert isinstance(final, Completed)
    assert (final.text, client.ends) == ("w2", [])


async def test_each_session_has_its_own_patience(engine: FakeEngine, clock: Clock) -> None:
    file = Client(engine, "file", replace(LIVE, queue_s=600.0))
    live = Client(engine, "live")
    engine.begin_with(UnplacedStream, UnplacedStream)
    for client in (file, live):
        client.say(say(1, 2.0))
    clock.ahead += LIVE.queue_s + 1
    await live.final()
    await watched()
    assert not file.finals
    clock.ahead += 600.0
    await file.final()
    for client in (file, live):
        await client.runner.close()
    assert engine.live == 0


async def test_who_waits_for_room_goes_on_when_the_audio_before_has_failed(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    engine.begin_with(UnplacedStream)
    client.say(silence(LIVE.backlog_s + 2))
    room = asyncio.create_task(client.runner.room())
    await watched()
    assert not room.done()
    clock.ahead += LIVE.queue_s + 1
    await asyncio.wait_for(room, 10)


# ---- pauses of the client ----------------------------------------------------------


async def test_an_idle_session_gives_its_place_back_and_takes_another_when_it_goes_on(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    client.say(say(1), silence(1.5))
    await client.answered()
    clock.ahead += LIVE.idle_s - 1
    await watched()
    assert engine.live == 1, "a moment without a sample is no pause"
    clock.ahead += LIVE.idle_s + 1
    await until(lambda: engine.live == 0)
    client.say(say(2), silence(1.5))
    assert engine.live == 1
    await client.answered()
    clock.ahead += LIVE.idle_s + 1
    await until(lambda: engine.live == 0)
    client.commit()
    final = await client.final()
    assert isinstance(final, Completed)
    assert final.text == "w1 w2"
    assert engine.opened == 3


async def test_a_session_that_stops_in_mid_sentence_keeps_its_place_longer(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    client.say(say(1), silence(0.2))
    await client.answered()
    clock.ahead += CUT_OFF_S - 2
    await watched()
    assert engine.live == 1
    clock.ahead += 3
    await until(lambda: engine.live == 0)
    client.say(say(2), silence(0.2))
    client.commit()
    final = await client.final()
    assert isinstance(final, Completed)
    assert (final.text, engine.opened) == ("w1 w2", 2)


async def test_a_process_that_was_busy_reads_first_what_came_meanwhile(
    client: Client, engine: FakeEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "WATCH_S", 0.2)
    client.say(say(1), silence(1.5))
    await client.answered()
    time.sleep(0.5)  # noqa: ASYNC251 - busy
    clock.ahead += LIVE.idle_s + 1
    for _ in range(5):  # the runner's look is due, and so is the client's next message
        await asyncio.sleep(0)
    assert engine.live == 1
    client.say(silence(0.1))
    await asyncio.sleep(2.5 * runner.WATCH_S)
    assert engine.live == 1


async def test_a_session_that_the_engine_keeps_waiting_is_not_idle(
    client: Client, engine: FakeEngine, clock: Clock
) -> None:
    client.say(say(1), silence(0.7))
    await client.answered()
    engine.going.clear()
    client.say(silence(1.5))
    clock.ahead += LIVE.idle_s + 1
    await watched()
    assert (engine.opened, engine.live) == (1, 1)


# ---- streams that are lost, engines that die ---------------------------------------


async def test_lost_streams_are_replaced_with_the_same_claim_to_a_place(
    engine: FakeEngine,
) -> None:
    file = Client(engine, limits=replace(LIVE, bulk=True))
    engine.begin_with(LostStream, LostStream)
    file.say(say(1), silence(0.7))
    file.commit()
    final = await file.final()
    assert isinstance(final, Completed)
    assert final.text == "w1"
    assert engine.opened == engine.bulk == 3
    await file.runner.close()


async def test_live_streams_are_not_bulk(client: Client, engine: FakeEngine) -> None:
    client.say(say(1), silence(0.7))
    assert (engine.opened, engine.bulk) == (1, 0)


async def test_a_dead_engine_ends_each_session_once_and_says_where_it_had_come_to(
    engine: FakeEngine,
) -> None:
    clients = [Client(engine, name) for name in "ab"]
    for client in clients:
        client.say(say(1), silence(0.7))
        client.commit()
        await client.final()
    engine.dead = True
    for client in clients:
        for number in (2, 3):  # two turns and a third that goes on, a stream each
            client.say(say(number), silence(0.7))
            client.commit()
        client.say(say(4), silence(0.7))
    for client in clients:
        await until(lambda: client.ends)  # noqa: B023 - awaited at once
        await watched()
        (error,) = client.ends
        assert isinstance(error, EngineDead)
        assert error.acknowledged_s == pytest.approx(1.0)
        assert error.body()["acknowledged_s"] == pytest.approx(1.0)
        assert [type(final) for final in client.finals] == [Completed, Failed, Failed, Failed]
        assert len({final.turn for final in client.finals}) == 4
        await client.runner.close()
    assert engine.live == 0


async def test_who_waits_for_room_goes_on_when_the_engine_dies(
    client: Client, engine: FakeEngine
) -> None:
    engine.going.clear()
    client.say(silence(LIVE.backlog_s + 2))
    room = asyncio.create_task(client.runner.room())
    engine.dead = True
    engine.going.set()
    await asyncio.wait_for(room, 10)
    assert len(client.ends) == 1


async def test_a_bug_in_the_session_ends_it_once_and_keeps_nobody_waiting(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.say(say(1), silence(0.7))
    await client.answered()
    monkeypatch.setattr(Session, "token", lambda *_: 1 / 0)
    client.say(silence(1.0))
    await until(lambda: client.ends)
    assert [error.code for error in client.ends] == ["internal_error"]
    assert [type(final) for final in client.finals] == [Failed]


# ---- room --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "fits", "too_much"),
    [
        (replace(LIVE, backlog_s=5.0), 1, 3),
        (replace(LIVE, unfinished=2, backlog_s=1e9), 2, 3),
    ],
    ids=["audio", "turns"],
)
async def test_there_is_room_for_as_much_as_the_limits_say(
    engine: FakeEngine, limits: Limits, fits: int, too_much: int
) -> None:
    client = Client(engine, limits=limits)
    engine.going.clear()
    for number in range(too_much):
        client.say(say(number), silence(1.2))
        client.commit()
        if number < fits:
            await asyncio.wait_for(client.runner.room(), 10)
    room = asyncio.create_task(client.runner.room())
    await watched()
    assert not room.done()
    engine.going.set()
    await asyncio.wait_for(room, 10)
    await client.final(too_much - 1)
    await client.runner.close()


async def test_a_session_that_ends_gives_everything_back(engine: FakeEngine) -> None:
    client = Client(engine)
    engine.going.clear()
    for number in range(3):
        client.say(say(number), silence(0.7))
        client.commit()
    client.say(say(3), silence(0.7))
    assert engine.live == 4
    await client.runner.close()
    assert engine.live == 0
    told = len(client.events)
    engine.going.set()
    await watched()
    assert len(client.events) == told, "nothing more is told"


async def test_a_cleared_turn_gives_its_stream_back(client: Client, engine: FakeEngine) -> None:
    client.say(say(1), silence(0.2))
    client.runner.command(Clear())
    assert engine.live == 0
    client.say(say(2), silence(0.7))
    client.commit()
    final = await client.final()
    assert isinstance(final, Completed)
    assert (
        "".join(e.text for e in client.events if isinstance(e, Delta)).strip() == final.text == "w2"
    )


async def test_what_is_on_its_way_when_a_stream_is_closed_is_ignored(
    client: Client, engine: FakeEngine
) -> None:
    class Late(FakeStream):
        def close(self) -> None:
            listeners.append(self._listener)
            super().close()

    listeners: list[Listener] = []
    engine.kind = lambda _: Late
    client.say(say(1), silence(0.5))
    await client.answered()
    client.runner.command(Clear())
    before = list(client.events)
    (listener,) = listeners
    listener.token(0)
    listener.lost(EngineFailed())
    assert client.events == before
    assert client.ends == []
