"""A soak: speakers, faults and a watch on the servers, and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .account import Account, account
from .alone import alone
from .deck import Deck
from .faults import FAULTS
from .netem import Link, NetemFailed, link
from .proxy import Proxy, proxy
from .servers import LocalServer, ServerFailed
from .speaker import Habits, Speaker
from .stage import Stage
from .watch import Sample, Watch

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        habits: of the speakers; its `urls` are those of the servers, and empty if two are started.
        serve: arguments of `voxtide serve` for two servers; None where they are there.
        pids: of servers that are there and are to be watched, by a name.
        idle: what the server hears alone, by clip; None to find out.
        speakers: how many there are.
        seconds: after which no new turn begins.
        every_s: between two faults.
        lasts_s: how long faults last that do not end by themselves.
        faults: their names.
        seed: of all that is drawn.
        logs: folder for the logs of servers that are started.
        netem: whether the kernel makes the network bad, not the proxy.
    """

    habits: Habits
    serve: Sequence[str] | None
    pids: Mapping[str, int]
    idle: Mapping[str, Sequence[str]] | None
    speakers: int
    seconds: float
    every_s: float
    lasts_s: float
    faults: Sequence[str]
    seed: int
    logs: Path
    netem: bool


@dataclass(frozen=True)
class Happened:
    """A fault that happened.

    Attributes:
        name: of the fault.
        began_s, ended_s: since the beginning of the run.
        what: was done.
        well: whether all was well again in the end.
    """

    name: str
    began_s: float
    ended_s: float
    what: str
    well: bool


@dataclass(frozen=True)
class Result:
    """What came of it.

    Attributes:
        account: of all that was said.
        happened: the faults, in the order in which they ended.
        samples: of each server that was watched.
        lags: (seconds since the beginning, seconds), of all speakers.
        began_unix_s: when speakers began.
        duration_s: until the last one had gone.
    """

    account: Account
    happened: Sequence[Happened]
    samples: Mapping[str, Sequence[Sample]]
    lags: Sequence[tuple[float, float]]
    began_unix_s: float
    duration_s: float

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, nothing doubled, and every server is there in the end."""
        return self.account.clean and all(fault.well for fault in self.happened)


async def soak(plan: Plan, over: asyncio.Event, tell: Tell) -> Result:
    """Do it.

    Args:
        plan: what is to be done.
        over: set by who wants it to end early, in good order.
        tell: called with a line for people now and then.

    Raises:
        ServerFailed: a server did not start.
        NetemFailed: the kernel does not make a network bad.
        voxtide.VoxtideError: a server does not answer while nobody else is there.
    """
    async with AsyncExitStack() as stack:
        bad = await stack.enter_async_context(link()) if plan.netem else None
        servers: list[LocalServer] = []
        if plan.serve is not None:
            tell("starting two servers")
            servers = await stack.enter_async_context(_two_servers(plan.serve, plan.logs))
        urls = [server.url for server in servers] or plan.habits.urls
        heard = plan.idle
        if heard is None:
            tell(f"saying {len(plan.habits.clips)} clips alone")
            heard = await alone(urls[-1], plan.habits.clips, plan.habits.dialect)
        proxies = [await stack.enter_async_context(_way_to(url, bad)) for url in urls]
        tell(f"{plan.speakers} speakers, for {plan.seconds:g} s")
        return await _Run(plan, over, tell, proxies, servers, bad).result(heard)


@asynccontextmanager
async def _way_to(url: str, bad: Link | None) -> AsyncIterator[Proxy]:
    """A proxy to a server, by way of the link if there is one."""
    if bad is None:
        async with proxy(url) as direct:
            yield direct
    else:
        async with (
            proxy(url, host=bad.host) as far,
            proxy(far.base_url, connect=bad.connect) as near,
        ):
            yield near


@asynccontextmanager
async def _two_servers(arguments: Sequence[str], logs: Path) -> AsyncIterator[list[LocalServer]]:
    """One that may end, and one that stays; both end with the body."""
    servers = [LocalServer(name, arguments, logs) for name in ("mortal", "lasting")]
    try:
        for server in servers:  # one after the other: together they would measure each other
            await server.start()
        yield servers
        # The account is made by now: one that does not end well is killed, and that is all.
        ending = (server.stop() for server in servers if server.ready)
        await asyncio.gather(*ending, return_exceptions=True)
    finally:
        for server in servers:
            server.kill()


class _Run:
    """Speakers at proxies, for a while."""

    def __init__(
        self,
        plan: Plan,
        over: asyncio.Event,
        tell: Tell,
        proxies: Sequence[Proxy],
        servers: Sequence[LocalServer],
        bad: Link | None,
    ) -> None:
        self._plan = plan
        self._over = over
        self._tell = tell
        self._unix, self._began = time.time(), time.monotonic()
        habits = Habits(
            [one.base_url for one in proxies],
            plan.habits.clips,
            plan.habits.lengths,
            plan.habits.dialect,
        )
        self._speakers = [
            Speaker(habits, number, self._chance(f"speaker {number}"), over, self._clock)
            for number in range(plan.speakers)
        ]
        self._servers = servers
        mortal = servers[0] if servers else None
        self._stage = Stage(proxies, self._speakers, mortal, bad, plan.lasts_s)
        self._watch = Watch(
            lambda: {**plan.pids, **{server.name: server.pid for server in servers}}, self._clock
        )
        self._going: set[str] = set()
        self._happened: list[Happened] = []

    async def result(self, alone: Mapping[str, Sequence[str]]) -> Result:
        """Let it run, wait until everybody has finished, and sum up."""
        async with asyncio.TaskGroup() as tasks:
            others = [tasks.create_task(self._watch.run()), tasks.create_task(self._faults())]
            speaking = [tasks.create_task(speaker.speak()) for speaker in self._speakers]
            with suppress(TimeoutError):
                async with asyncio.timeout(self._plan.seconds):
                    await self._over.wait()
            self._over.set()
            await asyncio.wait(speaking)
            duration = self._clock()
            self._note_the_dead()
            for task in others:
                task.cancel()
        ledgers = [ledger for speaker in self._speakers for ledger in speaker.ledgers]
        refused = sum((speaker.refused for speaker in self._speakers), Counter[str]())
        return Result(
            account(ledgers, alone, refused),
            self._happened,
            self._watch.samples,
            sorted(lag for speaker in self._speakers for lag in speaker.lags),
            self._unix,
            duration,
        )

    def _note_the_dead(self) -> None:
        """A server that has ended and was not asked to is a fault, too: its own."""
        now = self._clock()
        for server in self._servers:
            if server.ready and server.pid is None:
                what = f"server {server.name} had ended by itself"
                self._happened.append(Happened("died", now, now, what, well=False))

    async def _faults(self) -> None:
        """One after the other begins; some take longer than until the next one."""
        deck = Deck(self._plan.faults, self._chance("deck"))
        chance = self._chance("faults")
        async with asyncio.TaskGroup() as tasks:
            while not self._over.is_set():
                await asyncio.sleep(self._plan.every_s)
                name = deck.draw(self._possible)
                if name is not None and not self._over.is_set():
                    self._going.add(name)
                    tasks.create_task(self._one(name, chance))

    def _possible(self, name: str) -> bool:
        return name not in self._going and FAULTS[name].possible(self._stage)

    async def _one(self, name: str, chance: random.Random) -> None:
        began, what, well = self._clock(), "went on to the end of the run", True
        self._tell(f"{began:6.0f} s  {name}")
        try:
            what = await FAULTS[name].happen(self._stage, chance)
        except (ServerFailed, NetemFailed) as failed:
            what, well = str(failed), False
        finally:
            self._going.discard(name)
            self._happened.append(Happened(name, began, self._clock(), what, well))
            self._tell(f"{self._clock():6.0f} s  {name}: {what}")

    def _clock(self) -> float:
        return time.monotonic() - self._began

    def _chance(self, of: str) -> random.Random:
        """Each draws from its own, so that one does not change what another one gets."""
        return random.Random(f"{self._plan.seed}/{of}")
