"""Connections are lost, servers change, and the transcript is that of one session."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

import voxtide
from tests.conftest import Clip, Server, serving
from tests.integration.audio import pcm16
from tests.integration.live import SURE, Live, session
from tests.integration.proxy import Proxy, proxy
from tests.integration.talk import CUTS, FRAME, Talk, three_minutes

pytestmark = pytest.mark.integration
PACE = 3.0


@pytest.fixture(scope="module")
def talk(clips: list[Clip]) -> Talk:
    return three_minutes(clips)


class Undisturbed:
    """Nothing happens to a stream whose `events` these are."""

    def __init__(self) -> None:
        self.events: list[voxtide.Event] = []

    def early(self, number: int) -> bool:
        """Whether what happens before a frame has to wait."""
        return False

    def before(self, number: int) -> None:
        """Let happen what happens before a frame."""


class Trouble(Undisturbed):
    """Connections are lost, and half-way those that follow lead to another server."""

    def __init__(self, talk: Talk, passing: Proxy, other: Server) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._talk = talk
        self._passing = passing
        self._other = other
        self._cuts = 0

    def early(self, number: int) -> bool:
        """Whether there is no connection yet that could be lost."""
        begun = sum(isinstance(e, voxtide.SessionReady | voxtide.Resumed) for e in self.events)
        return number in self._talk.cuts and begun <= self._cuts

    def before(self, number: int) -> None:
        if number == len(self._talk.pcm) // FRAME // 2:
            self._passing.target = self._other.host
        if number in self._talk.cuts:
            self._cuts += 1
            self._loop.call_soon_threadsafe(self._passing.cut)


async def say(session: voxtide.AsyncSession, talk: Talk, trouble: Undisturbed) -> None:
    """Feed at PACE times real time, and never faster: what was late stays late."""
    for number, frame in talk.frames():
        while trouble.early(number):
            await asyncio.sleep(0.01)
        trouble.before(number)
        await asyncio.sleep(0.08 / PACE)
        await session.feed(frame)
        if number in talk.flushes:
            await session.flush()
    await session.finish()


async def hear(base_url: str, talk: Talk, trouble: Undisturbed) -> list[voxtide.Event]:
    """All events of the asyncio shell."""
    async with (
        voxtide.AsyncClient(base_url).stream() as session,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(say(session, talk, trouble))
        async for event in session:
            trouble.events.append(event)
    return trouble.events


def hear_blocking(base_url: str, talk: Talk, trouble: Undisturbed) -> list[voxtide.Event]:
    """All events of the blocking shell, which is fed in a thread."""
    with voxtide.Client(base_url).stream() as session:

        def speak() -> None:
            for number, frame in talk.frames():
                while trouble.early(number):
                    time.sleep(0.01)
                trouble.before(number)
                time.sleep(0.08 / PACE)
                session.feed(frame)
                if number in talk.flushes:
                    session.flush()
            session.finish()

        speaker = threading.Thread(target=speak)
        speaker.start()
        for event in session:
            trouble.events.append(event)
        speaker.join()
    return trouble.events


def finals(events: list[voxtide.Event]) -> list[voxtide.Final]:
    return [event for event in events if isinstance(event, voxtide.Final)]


def shown(events: list[voxtide.Event]) -> dict[str, str]:
    """What somebody who reads along has before them in the end, for each turn."""
    texts: dict[str, str] = {}
    for event in events:
        match event:
            case voxtide.Partial(text=text, turn=turn):
                texts[turn] = texts.get(turn, "") + text
            case voxtide.Resumed(turn=turn, text=text) if turn:  # else nothing had been said
                texts[turn] = text
    return {turn: text.strip() for turn, text in texts.items()}


@pytest.fixture(scope="module")
def undisturbed(server: Server, talk: Talk) -> list[voxtide.Final]:
    """What one session says."""
    return finals(asyncio.run(hear(server.base_url, talk, Undisturbed())))


@pytest.fixture(scope="module")
def other() -> Iterator[Server]:
    """A second server."""
    with serving("--drain-seconds", "1", "--max-sessions", "16") as server:
        yield server


@pytest.mark.parametrize("shell", ["async", "sync"])
async def test_twenty_lost_connections_and_another_server_change_nothing(
    shell: str, server: Server, other: Server, talk: Talk, undisturbed: list[voxtide.Final]
) -> None:
    async with proxy(server.host) as passing:
        trouble = Trouble(talk, passing, other)
        if shell == "async":
            events = await hear(passing.base_url, talk, trouble)
        else:
            events = await asyncio.to_thread(hear_blocking, passing.base_url, talk, trouble)
    heard = finals(events)
    assert [final.text for final in heard] == [final.text for final in undisturbed]
    assert [final.words for final in heard] == [final.words for final in undisturbed]
    assert [(f.start, f.end) for f in heard] == [(f.start, f.end) for f in undisturbed]
    assert list(shown(events).values()) == [final.text for final in heard]
    resumed = [event for event in events if isinstance(event, voxtide.Resumed)]
    assert len(resumed) == CUTS
    assert all(event.lost == 0.0 for event in resumed)


# The last of this file: it is the end of the other server.
async def test_a_server_that_stops_lets_everybody_finish_and_go_on_elsewhere(
    server: Server, other: Server, clips: list[Clip]
) -> None:
    """Ten speakers in mid-word: with a second server their transcripts are undisturbed."""
    # What nano hears in these does not hang on a hair: others differ where they are cut.
    spoken = ([clip for clip in clips if clip.path.stem in SURE] * 4)[:10]

    async def update(live: Live, fields: dict[str, Any]) -> None:
        await live.socket.send(json.dumps({"type": "session.update", "session": fields}))
        await live.until("session.updated")

    async def speak(old: Server, clip: Clip, begun: asyncio.Semaphore) -> str:
        """What a client does that knows how to go on."""
        pcm, sent, acknowledged = pcm16(clip.path), 0, 0.0
        deltas: list[tuple[str, float]] = []
        async with session(old) as live:
            await update(live, {"acknowledge": True})
            told = asyncio.create_task(live.until("session.draining"))
            # It may be told and closed at once, and notice only by what it sends next.
            with contextlib.suppress(ConnectionClosed):
                while sent < len(pcm) and not told.done():
                    await live.say(pcm[sent : sent + 1280])
                    sent += 1280
                    await asyncio.sleep(0.08)
                    if sent == 12_800:
                        begun.release()
                if not told.done():  # it had said all before the server was to stop
                    await live.commit()
            with pytest.raises(ConnectionClosed):
                await live.until("never")
            await asyncio.gather(told, return_exceptions=True)
            for event in live.events:
                if event["type"].endswith(".delta"):
                    deltas.append((event["delta"], event["end"]))
                if event["type"] == "session.acknowledged":
                    acknowledged = event["position"]
                if event["type"].endswith(".completed"):
                    acknowledged = max(acknowledged, event["end"])
            assert live.socket.close_code == 1012
        before = "".join(text for text, end in deltas if end <= acknowledged + 1e-6)
        async with session(server) as live:
            await update(live, {"resume": {"at": acknowledged, "previous_item_id": None}})
            await live.say(pcm[round(acknowledged * 16_000) :])
            await live.commit()
            return f"{before} {await live.transcript()}".strip()

    begun = asyncio.Semaphore(0)
    speaking = [asyncio.create_task(speak(other, clip, begun)) for clip in spoken]
    for _ in spoken:
        await begun.acquire()
    other.process.send_signal(signal.SIGTERM)
    texts = await asyncio.gather(*speaking)
    assert await asyncio.to_thread(other.process.wait, 60) == 0
    assert [" ".join(text.split()) for text in texts] == [clip.text for clip in spoken]
