"""Faults, one by one, on a stage of their own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from voxtide_loadtest.soak.faults import FAULTS
from voxtide_loadtest.soak.faults.network import DELAY_S, LOSS, RETRANSMISSION_S
from voxtide_loadtest.soak.stage import Stage


@dataclass
class FakeProxy:
    connections: int = 2
    hold: Any = None
    cuts: int = 0

    def cut(self) -> None:
        self.cuts += 1


@dataclass
class FakeSpeaker:
    reads: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class FakeServer:
    ready: bool = True
    done: list[str] = field(default_factory=list)

    async def start(self) -> None:
        self.done.append("start")

    async def stop(self) -> int:
        self.done.append("stop")
        return 0

    async def lose_engine(self) -> int:
        self.done.append("lose engine")
        return 1


@dataclass
class FakeLink:
    bad: bool = False

    async def worsen(self) -> str:
        self.bad = True
        return "netem"

    async def mend(self) -> None:
        self.bad = False


def stage(*proxies: FakeProxy, mortal: Any = None, link: Any = None) -> Stage:
    speaker = FakeSpeaker()
    speaker.reads.set()
    parts: Any = (proxies, [speaker], mortal, link)
    return Stage(*parts, lasts_s=0.05)


async def happen(name: str, on: Stage) -> str:
    return await FAULTS[name].happen(on, random.Random(1))


async def test_a_cut_takes_a_server_that_somebody_is_connected_to() -> None:
    idle, used = FakeProxy(0), FakeProxy(3)
    assert await happen("cut", stage(idle, used)) == "cut 3 connections"
    assert (idle.cuts, used.cuts) == (0, 1)
    assert "no connection" in await happen("cut", stage(idle))


async def test_a_slow_reader_reads_again_afterwards() -> None:
    on = stage(FakeProxy())
    reads = on.speakers[0].reads
    fault = asyncio.create_task(happen("slow", on))
    await asyncio.sleep(0)
    assert not reads.is_set()
    await fault
    assert reads.is_set()


async def test_a_fault_that_is_given_up_leaves_all_well() -> None:
    on = stage(FakeProxy())
    for name in ("slow", "network"):
        fault = asyncio.create_task(happen(name, on))
        await asyncio.sleep(0)
        fault.cancel()
        await asyncio.gather(fault, return_exceptions=True)
    assert on.speakers[0].reads.is_set()
    assert on.proxies[0].hold is None


async def test_a_bad_network_delays_all_and_some_for_much_longer() -> None:
    passing = FakeProxy()
    fault = asyncio.create_task(happen("network", stage(passing)))
    await asyncio.sleep(0)
    waits = [passing.hold() for _ in range(3000)]
    await fault
    assert passing.hold is None
    least, most = DELAY_S
    assert min(waits) >= least
    assert max(waits) <= most + RETRANSMISSION_S[1]
    lost = sum(wait > most + RETRANSMISSION_S[0] for wait in waits) / len(waits)
    assert 0.3 * LOSS < lost <= 1.5 * LOSS


async def test_where_the_kernel_makes_it_bad_the_proxy_does_not() -> None:
    passing, link = FakeProxy(), FakeLink()
    fault = asyncio.create_task(happen("network", stage(passing, link=link)))
    await asyncio.sleep(0.01)
    assert link.bad
    assert passing.hold is None
    assert "netem for" in await fault
    assert not link.bad


@pytest.mark.parametrize(("name", "done"), [("term", "stop"), ("kill", "lose engine")])
async def test_a_server_that_has_ended_is_started_again(name: str, done: str) -> None:
    server = FakeServer()
    on = stage(FakeProxy(3), FakeProxy(9), mortal=server)
    assert FAULTS[name].possible(on)
    assert "with 3 connections" in await happen(name, on)
    assert server.done == [done, "start"]


@pytest.mark.parametrize("name", ["term", "kill"])
def test_a_server_ends_only_where_one_may_and_is_there_with_somebody_on_it(name: str) -> None:
    assert not FAULTS[name].possible(stage(FakeProxy(1)))
    assert not FAULTS[name].possible(stage(FakeProxy(1), mortal=FakeServer(ready=False)))
    assert not FAULTS[name].possible(stage(FakeProxy(0), FakeProxy(4), mortal=FakeServer()))
    assert FAULTS[name].possible(stage(FakeProxy(1), mortal=FakeServer()))
    assert FAULTS["cut"].possible(stage(FakeProxy()))
