"""Somebody who speaks with voxtide's client, session after session, in real time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

import voxtide

from ..behaviour import Distribution
from ..corpus import FRAME_S, Clip
from .ledger import Ledger

Dialect = Literal["voxtide", "openai", "mistral"]

_PAUSE_S = 1.0
"""Between two turns at the most; nothing is sent meanwhile."""
_AWAY_S = 1.0
"""Before a session that was refused is tried again, elsewhere."""


def rate(dialect: Dialect) -> int:
    """The sample rate in Hz that a dialect is spoken at."""
    return 24_000 if dialect == "openai" else 16_000


@dataclass(frozen=True)
class Habits:
    """What all speakers have in common.

    Attributes:
        urls: of the servers; where a connection is lost, the next one is tried.
        clips: what they say.
        lengths: of their sessions.
        dialect: that the servers speak.
    """

    urls: Sequence[str]
    clips: Sequence[Clip]
    lengths: Distribution
    dialect: Dialect = "voxtide"


class Speaker:
    """One of them.

    Args:
        number: from 0 on: speakers begin at different servers.
        rng: what they say, and how long.
        over: set when they are to end what they say, and go.
        clock: seconds since the beginning of the run.

    Attributes:
        ledgers: of all sessions.
        refused: tries to open one that failed, by code.
        lags: (moment, seconds): the audio that was sent by then, less the place in it that the
            text had reached, at each new piece of text.
        reads: while it is not set, nothing is read.
    """

    def __init__(
        self,
        habits: Habits,
        number: int,
        rng: random.Random,
        over: asyncio.Event,
        clock: Callable[[], float],
    ) -> None:
        self.ledgers: list[Ledger] = []
        self.refused: Counter[str] = Counter()
        self.lags: list[tuple[float, float]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self._habits = habits
        self._server = number
        self._rng = rng
        self._over = over
        self._clock = clock

    async def speak(self) -> None:
        """Sessions, one after the other, until it is over."""
        while not self._over.is_set():
            async with AsyncExitStack() as stack:
                client = voxtide.AsyncClient(self._next_urls())
                opening = client.stream(
                    sample_rate=rate(self._habits.dialect), dialect=self._habits.dialect
                )
                try:
                    session = await stack.enter_async_context(opening)
                except voxtide.VoxtideError as refused:
                    self.refused[refused.code] += 1
                else:
                    await self._converse(session)
                    continue
            await asyncio.sleep(_AWAY_S)

    def _next_urls(self) -> list[str]:
        """All servers, another one first each time."""
        urls = self._habits.urls
        first = self._server % len(urls)
        self._server += 1
        return [*urls[first:], *urls[:first]]

    async def _converse(self, session: voxtide.AsyncSession) -> None:
        ledger = Ledger()
        self.ledgers.append(ledger)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._say(session, ledger))
                tasks.create_task(self._hear(session, ledger))
        except* voxtide.VoxtideError as broken:
            ledger.broken = _code(broken)
        finally:
            ledger.close()

    async def _say(self, session: voxtide.AsyncSession, ledger: Ledger) -> None:
        """Turn after turn; what is late is made up for, as by a microphone's buffer."""
        until = self._clock() + self._habits.lengths.draw(self._rng)
        due = self._clock()
        while not self._over.is_set() and self._clock() < until:
            clip = self._rng.choice(self._habits.clips)
            ledger.begin(clip)
            for frame in clip.frames(rate(self._habits.dialect)):
                due += FRAME_S
                await asyncio.sleep(max(0.0, due - self._clock()))
                ledger.spoke(FRAME_S)
                await session.feed(frame)
            ledger.commit()
            await session.flush()
            due = max(due, self._clock()) + self._rng.uniform(0.0, _PAUSE_S)
        await session.finish()

    async def _hear(self, session: voxtide.AsyncSession, ledger: Ledger) -> None:
        async for event in session:
            match event:
                case voxtide.Partial(end=float(end)):
                    self.lags.append((self._clock(), ledger.sent_s - end))
                case voxtide.Final():
                    ledger.final(event.text, event.start, event.end)
                case voxtide.Resumed():
                    ledger.resume(event.lost)
                case voxtide.ServerError():
                    ledger.fail(event.code, of_turn=event.turn is not None)
            await self.reads.wait()


def _code(broken: BaseExceptionGroup[voxtide.VoxtideError]) -> str:
    """Of the first error in a group."""
    first: BaseException = broken
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, voxtide.VoxtideError)
    return first.code
