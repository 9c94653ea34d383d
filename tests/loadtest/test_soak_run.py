"""A soak of some seconds against a server that knows what it hears."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.loadtest.echo import corpus
from tests.loadtest.hearing import Spoil, hearing, well
from voxtide_loadtest.behaviour import Distribution
from voxtide_loadtest.corpus import load
from voxtide_loadtest.soak.faults import FAULTS
from voxtide_loadtest.soak.run import Plan, Result, soak
from voxtide_loadtest.soak.speaker import Habits


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("said"), clips=3, seconds=0.8)


async def run(manifest: Path, spoil: Spoil = well, **changes: Any) -> tuple[Result, list[str]]:
    """What came of it, and what the server was told in all."""
    clips = load(str(manifest))
    async with hearing(manifest, spoil) as (server, script):
        plan = {
            "habits": Habits([server.base_url] * 2, clips, Distribution("fixed", (2.0,))),
            "serve": None,
            "pids": {},
            "idle": {clip.id: clip.words for clip in clips},
            "speakers": 3,
            "seconds": 3.0,
            "every_s": 0.5,
            "lasts_s": 0.3,
            "faults": (),
            "seed": 1,
            "logs": manifest.parent,
            "netem": False,
        }
        result = await soak(Plan(**{**plan, **changes}), asyncio.Event(), lambda line: None)
    return result, script.said


async def test_an_undisturbed_server_hears_everything(manifest: Path) -> None:
    result, said = await run(manifest)
    assert result.clean
    account = result.account
    assert account.turns.said == account.turns.final == len(said) > 0
    assert account.words.said == 8 * len(said)
    assert account.sessions.opened > 3
    assert account.sessions.resumed == 0
    assert result.lags


async def test_cuts_slow_readers_and_a_bad_network_lose_nothing(manifest: Path) -> None:
    faults = tuple(name for name, fault in FAULTS.items() if not fault.ends_server)
    result, _ = await run(manifest, faults=faults)
    assert {fault.name for fault in result.happened} == set(faults) == {"cut", "slow", "network"}
    assert result.account.sessions.resumed > 0
    assert result.account.turns.said > 0
    assert result.clean, result.account


async def test_planted_drops_and_doubles_are_found_in_the_account(manifest: Path) -> None:
    planted = {"dropped": 0, "doubled": 0, "twice": 0}

    def spoil(number: int, text: str) -> list[str]:
        first, second, *others = text.split()
        if number % 3 == 0:
            planted["dropped"] += 1
            return [" ".join([first, *others])]
        if number % 3 == 1:
            planted["doubled"] += 1
            return [" ".join([first, second, second, *others])]
        if number % 6 == 2:
            planted["twice"] += 1
            return [text, text]
        return [text]

    result, said = await run(manifest, spoil, faults=("cut",), every_s=1.5)
    account = result.account
    assert not result.clean
    # A turn that was cut off before its transcript came is told, and spoilt, a second time.
    assert len(said) >= account.turns.final == account.turns.said
    assert 0 < account.words.lost <= planted["dropped"]
    assert 0 < account.words.doubled <= planted["doubled"]
    assert 0 < account.turns.repeated <= planted["twice"]
    assert account.audio.lost_s == 0


async def test_planted_drops_are_counted_one_by_one(manifest: Path) -> None:
    dropped = 0

    def spoil(number: int, text: str) -> list[str]:
        nonlocal dropped
        dropped += number % 2
        return [text.partition(" ")[2] if number % 2 else text]

    result, _ = await run(manifest, spoil)
    assert result.account.words.lost == dropped > 0
    assert not result.clean


async def test_what_the_server_hears_alone_is_asked_first(manifest: Path) -> None:
    """A word that it never hears is not lost by the faults."""

    def spoil(number: int, text: str) -> list[str]:
        return [text.rpartition(" ")[0]]

    result, _ = await run(manifest, spoil, idle=None)
    assert result.account.words.said == 7 * result.account.turns.said > 0
    assert result.clean


async def test_a_server_that_lets_nobody_in_is_tried_again(manifest: Path) -> None:
    clips = load(str(manifest))
    async with hearing(manifest) as (server, _):
        nowhere = "http://127.0.0.1:9/v1"
        habits = Habits([nowhere, server.base_url], clips, Distribution("fixed", (0.5,)))
        result, _ = await run(manifest, habits=habits)
    assert result.account.sessions.refused.total() > 0
    assert result.account.turns.said > 0
    assert result.clean


async def test_it_ends_early_in_good_order_when_it_is_told(manifest: Path) -> None:
    over = asyncio.Event()
    clips = load(str(manifest))
    async with hearing(manifest) as (server, _):
        habits = Habits([server.base_url], clips, Distribution("fixed", (900.0,)))
        idle = {clip.id: clip.words or () for clip in clips}
        plan = Plan(
            habits, None, {}, idle, 2, 900.0, 900.0, 1.0, ("cut",), 1, manifest.parent, False
        )
        asyncio.get_running_loop().call_later(1.5, over.set)
        result = await soak(plan, over, lambda line: None)
    assert result.account.turns.said > 0
    assert result.clean
