"""How many sessions are let in where nobody has said so."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.fakes.engine import FakeEngine, FakeStream, LostStream, UnplacedStream
from voxtide_server import capacity
from voxtide_server.engine import FRAME_S


class PacedEngine(FakeEngine):
    """An engine that answers so many frames a second, of all streams together."""

    places = 40

    def __init__(self, frames_per_s: float) -> None:
        super().__init__()
        self.period = 1 / frames_per_s
        self.free_at = time.monotonic()
        self.kind = lambda _: PacedStream


class PacedStream(FakeStream):
    async def _run(self) -> None:
        engine = self._engine
        assert isinstance(engine, PacedEngine)
        while True:
            await self._windows.get()
            now = time.monotonic()
            engine.free_at = max(now - 0.05, engine.free_at) + engine.period
            await asyncio.sleep(engine.free_at - now)
            self._listener.token(0)


async def test_an_engine_that_is_fast_enough_is_filled() -> None:
    engine = FakeEngine()
    assert await capacity.measured(engine) == engine.places
    assert engine.most == engine.places
    assert engine.live == 0


async def test_a_slow_engine_lets_in_what_it_carries() -> None:
    """500 frames a second are 40 live streams; not all of that is given away."""
    engine = PacedEngine(500)
    assert 1 <= await capacity.measured(engine) <= capacity.SHARE * 500 * FRAME_S * 1.1
    assert engine.live == 0


async def test_an_engine_that_answers_nothing_is_not_filled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capacity, "ROUND_S", 0.1)
    engine = FakeEngine()
    engine.kind = lambda _: UnplacedStream
    assert await capacity.measured(engine) == 1
    assert engine.live == 0


async def test_fewer_are_let_in_where_the_engine_loses_streams() -> None:
    """It has no memory for more than 30."""
    engine = FakeEngine()
    engine.kind = lambda _: LostStream if engine.live >= 30 else FakeStream
    assert await capacity.measured(engine) == 25
    assert engine.live == 0


async def test_an_engine_that_loses_every_stream_gets_one_at_a_time() -> None:
    engine = FakeEngine()
    engine.kind = lambda _: LostStream
    assert await capacity.measured(engine) == 1
    assert engine.live == 0
