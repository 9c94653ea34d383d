"""What a lost connection costs the caller, in both shells, against scripted servers."""

import asyncio
import json

import numpy as np
import pytest

import voxtide
from voxtide import Final, Partial, Reconnect, Resumed, ServerError, Timeout, Word
from voxtide.retry import Backoff

from . import fakes
from .fakes import Talk
from .test_shells import alone, collect, speak

TENTH = np.arange(1600, dtype=np.int16)
SOON = Reconnect(seconds=20, backoff=Backoff(first=0.01, longest=0.05))


async def acknowledge(talk: Talk, position: float, *words: Word, turn_start: float | None = 0.0):
    told = [{"word": word.word, "start": word.start, "end": word.end} for word in words]
    await talk.send(
        "session.acknowledged", position=position, item_id="i", turn_start=turn_start, words=told
    )


def scripts(*steps):
    """A script for each connection, in the order in which they come."""
    left = list(steps)

    async def script(talk: Talk):
        await left.pop(0)(talk)

    return script


ONE, TWO = Word("one", 0.1, 0.4), Word("two", 0.6, 0.9)


@pytest.mark.parametrize("code", [None, 1001, 1011, 1012, 1013])
async def test_a_turn_goes_on_in_another_connection_where_it_was_acknowledged(shell, code):
    async def first(talk: Talk):
        await talk.accept()
        await talk.delta("item_a", " one", end=0.4)
        await talk.delta("item_a", " t", end=0.9)
        await acknowledge(talk, 0.5, ONE)
        while len(talk.audio) < 32_000:
            await talk.receive()
        if code is None:
            await talk.cut_later()
        else:
            await talk.close(code)

    async def second(talk: Talk):
        await talk.accept()
        await talk.delta("item_b", " two", end=0.9)
        await talk.commit()
        words = [{"word": "two", "start": 0.6, "end": 0.9}]
        await talk.complete("item_b", "two", words=words, start=0.0, end=1.5)

    async with (
        fakes.realtime(scripts(first, second)) as fake,
        shell(fake.base_url).stream(reconnect=SOON) as session,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(speak(session, *[TENTH] * 15))
        events = await collect(session)
    assert events[1:] == [
        Partial(" one", 0.4, "item_a"),
        Partial(" t", 0.9, "item_a"),
        Resumed(0.5, "item_a", " one", 0.0),
        Partial(" two", 0.9, "item_a"),
        Final("one two", "item_a", (ONE, TWO), 0.0, 1.5),
    ]
    assert fake.talks[1].settings["resume"] == {
        "at": 0.0,
        "previous_item_id": None,
        "turn_start": 0.0,
        "words_after": 0.5,
    }
    assert fake.talks[1].audio == np.tile(TENTH, 15).tobytes(), "what led there is heard again"


async def test_commits_that_were_not_answered_are_sent_again_in_their_places(shell):
    async def first(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", "one", end=0.1)
        await talk.commit()
        await talk.cut_later()

    async def second(talk: Talk):
        await talk.accept()
        for turn in ("item_2", "item_3"):
            await talk.commit()
            await talk.complete(turn, f"of {len(talk.audio)}")

    async with (
        fakes.realtime(scripts(first, second)) as fake,
        shell(fake.base_url).stream(reconnect=SOON) as session,
    ):
        for _ in range(2):
            await session.feed(TENTH)
            await session.flush()
        await speak(session, TENTH)
        events = await collect(session)
    texts = [event.text for event in events if isinstance(event, Final)]
    assert texts == ["one", "of 3200", "of 6400"], "the first turn is not heard again"
    assert fake.talks[1].settings["resume"]["previous_item_id"] == "item_1"


@pytest.mark.parametrize("code", [None, 1012])
async def test_a_connection_may_end_while_it_is_sent_what_another_one_lost(shell, code):
    second_of_audio = np.zeros(16000, np.int16)

    async def first(talk: Talk):
        await talk.accept()
        await talk.audio_of(15 * 32_000)
        talk.cut()

    async def second(talk: Talk):
        await talk.accept()
        await talk.audio_of(64_000)
        if code is None:
            talk.cut()
        else:
            await talk.close(code)

    async def third(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", "all")

    async with (
        fakes.realtime(scripts(first, second, third)) as fake,
        shell(fake.base_url).stream(reconnect=SOON) as session,
    ):
        listening = asyncio.ensure_future(collect(session))
        for _ in range(15):
            await session.feed(second_of_audio)
        while len(fake.talks) < 3:  # it is who iterates that sees all this
            await asyncio.sleep(0.01)
        await asyncio.wait_for(session.finish(), 10)
        events = await asyncio.wait_for(listening, 10)
    assert events[-1] == Final("all", "item_1")
    assert len(fake.talks[2].audio) == 15 * 32_000


async def test_a_pause_after_a_lost_connection_is_no_silence_of_the_server(shell):
    """All that the second server hears is known already, or says nothing."""

    async def first(talk: Talk):
        await talk.accept()
        await talk.audio_of(10 * 32_000)
        await talk.delta("item_a", " one", end=5.0)
        await acknowledge(talk, 7.0, Word("one", 4.6, 5.0))
        await talk.cut_later()

    async def second(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_b", "", words=[], start=0.0, end=10.0)

    async with (
        fakes.realtime(scripts(first, second)) as fake,
        shell(fake.base_url, timeout=Timeout(silence=1.0)).stream(reconnect=SOON) as session,
    ):
        listening = asyncio.ensure_future(collect(session))
        for _ in range(10):
            await session.feed(np.zeros(16000, np.int16))
        while len(fake.talks) < 2 or len(fake.talks[1].audio) < 8 * 32_000:
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.8)
        await session.finish()
        events = await listening
    assert sum(isinstance(event, Resumed) for event in events) == 1
    assert isinstance(events[-1], Final)


async def test_a_source_that_fails_while_there_is_no_connection_is_told_at_once(shell):
    async def script(talk: Talk):
        await talk.accept()
        await talk.audio_of(3200)
        talk.cut()

    lost = asyncio.Event()
    refusals = iter([None])

    def refuse():
        answer = next(refusals, (503, "{}"))
        if answer is not None:
            lost.set()
        return answer

    async def source():
        yield TENTH
        await lost.wait()
        raise OSError("the microphone is gone")

    async with (
        fakes.realtime(script, refuse=refuse) as fake,
        shell(fake.base_url).stream(source(), reconnect=SOON) as session,
    ):
        with pytest.raises(OSError, match="the microphone is gone"):
            await asyncio.wait_for(collect(session), 10)


async def test_another_server_takes_over(shell):
    async def first(talk: Talk):
        await talk.accept()
        await talk.receive()
        await talk.close(1012)

    async def second(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", "heard here")

    async with fakes.realtime(first) as old, fakes.realtime(second) as new:
        client = shell([old.base_url, new.base_url])
        async with client.stream(reconnect=SOON) as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(speak(session, TENTH, TENTH))
            events = await collect(session)
    assert events[-1] == Final("heard here", "item_1")
    assert new.talks[0].audio == np.tile(TENTH, 2).tobytes()


async def test_a_full_server_is_asked_again_when_it_says(shell):
    async def first(talk: Talk):
        await talk.accept()
        await talk.cut_later()

    async def second(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", "in")

    body = '{"error": {"message": "Full.", "code": "server_full"}}'
    refusals = iter([None, (503, body), (429, body), None])
    script = scripts(first, second)
    async with (
        fakes.realtime(script, refuse=lambda: next(refusals), retry_after="0") as fake,
        shell(fake.base_url).stream(reconnect=SOON) as session,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(speak(session, TENTH))
        events = await collect(session)
    assert events[-1] == Final("in", "item_1")
    assert next(refusals, "none left") == "none left"


async def test_it_gives_up_in_time_and_says_why(shell):
    async def first(talk: Talk):
        await talk.accept()
        await talk.close(1012)

    refusals = iter([None])
    patience = Reconnect(seconds=0.5, backoff=Backoff(first=0.01, longest=0.05))
    async with (
        fakes.realtime(
            first, refuse=lambda: next(refusals, (503, '{"error": {"code": "server_full"}}'))
        ) as fake,
        shell(fake.base_url).stream(reconnect=patience) as session,
    ):
        with pytest.raises(voxtide.OverloadedError) as raised:
            await collect(session)
        assert raised.value.code == "server_full"
        with pytest.raises(voxtide.OverloadedError):
            await session.feed(TENTH)


async def test_servers_that_accept_and_die_at_once_are_not_tried_for_ever(shell):
    async def script(talk: Talk):
        await talk.accept()
        await talk.close(1011)

    patience = Reconnect(seconds=0.5, backoff=Backoff(first=0.05, longest=0.05))
    async with (
        fakes.realtime(script) as fake,
        shell(fake.base_url).stream(reconnect=patience) as session,
    ):
        with pytest.raises(voxtide.ServerFailedError):
            await collect(session)
    assert 2 <= len(fake.talks) <= 30


async def test_what_is_not_retryable_ends_the_session(shell):
    async def script(talk: Talk):
        await talk.accept()
        await talk.close(1008, "against the rules")

    async with (
        fakes.realtime(script) as fake,
        shell(fake.base_url).stream(reconnect=SOON) as session,
    ):
        with pytest.raises(voxtide.RejectedError, match="against the rules"):
            await collect(session)
    assert len(fake.talks) == 1


async def test_a_server_that_falls_silent_is_left(shell):
    async def first(talk: Talk):
        await talk.accept()
        await talk.stall()

    async def second(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", "alive")

    async with (
        fakes.realtime(scripts(first, second)) as fake,
        shell(fake.base_url, timeout=Timeout(silence=0.3)).stream(reconnect=SOON) as session,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(speak(session, *[TENTH] * 80))
        events = await collect(session)
    assert events[-1] == Final("alive", "item_1")
    assert fake.talks[1].audio == np.tile(TENTH, 80).tobytes()


async def test_audio_is_taken_while_there_is_no_connection(shell):
    gate = asyncio.Event()

    async def first(talk: Talk):
        await talk.accept()
        await talk.cut_later()

    async def second(talk: Talk):
        await gate.wait()
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", "all")

    async with (
        fakes.realtime(scripts(first, second)) as fake,
        shell(fake.base_url).stream(reconnect=SOON) as session,
    ):
        listening = asyncio.ensure_future(collect(session))
        while len(fake.talks) < 2:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(speak(session, *[TENTH] * 20), 10)
        gate.set()
        assert (await listening)[-1] == Final("all", "item_1")
    assert fake.talks[1].audio == np.tile(TENTH, 20).tobytes()


async def test_a_failed_turn_is_not_heard_again(shell):
    async def first(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.send("input_audio_buffer.committed", item_id="item_1")
        error = {"type": "server_error", "code": "engine_failed", "message": "Lost."}
        await talk.send(f"{fakes.TRANSCRIPTION}.failed", item_id="item_1", error=error)
        await talk.cut_later()

    async def second(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_2", f"{len(talk.audio)}")

    async with (
        fakes.realtime(scripts(first, second)) as fake,
        shell(fake.base_url).stream(reconnect=SOON) as session,
    ):
        await session.feed(TENTH)
        await session.flush()
        await speak(session, TENTH)
        events = await collect(session)
    assert [e.turn for e in events if isinstance(e, ServerError)] == ["item_1"]
    assert events[-1] == Final("3200", "item_2")


@pytest.mark.parametrize("dialect", ["openai", "mistral", "vllm"])
async def test_a_server_that_acknowledges_nothing_hears_the_turn_again(shell, dialect):
    """Degraded, and said so: the text of the open turn is taken back."""

    async def first(talk: Talk):
        await fakes.accept_in(talk, dialect)
        await talk.audio_of(3200)
        await fakes.tell(talk, dialect, delta=" on")
        await talk.cut_later()

    async def second(talk: Talk):
        await fakes.accept_in(talk, dialect)
        await talk.audio_of(6400)
        await fakes.tell(talk, dialect, delta=" one")
        await fakes.until_commit(talk)
        await fakes.tell(talk, dialect, final="one")

    async with (
        fakes.realtime(scripts(first, second)) as fake,
        shell(fake.base_url).stream(
            dialect=dialect,
            model="nano",
            reconnect=SOON,
            sample_rate=24000 if dialect == "openai" else 16000,
        ) as session,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(speak(session, TENTH, TENTH))
        events = await collect(session)
    texts = [(type(e), e.text) for e in events if isinstance(e, Partial | Resumed | Final)]
    assert texts == [(Partial, " on"), (Resumed, ""), (Partial, " one"), (Final, "one")]
    assert fake.talks[1].audio == np.tile(TENTH, 2).tobytes()


async def test_nobody_reads_and_nothing_grows_without_bound(shell, monkeypatch):
    monkeypatch.setattr("voxtide.socket_options.UNREAD_EVENTS", 50)

    async def chatter(talk: Talk):
        await talk.accept()
        while True:
            message = await talk.receive()
            assert message["type"] == "input_audio_buffer.append"
            for _ in range(5):
                await talk.delta("item_1", " so")

    minute = np.zeros(960_000, np.int16)
    async with (
        fakes.realtime(chatter) as fake,
        shell(fake.base_url, timeout=Timeout(feed=0.5)).stream() as session,
    ):
        with pytest.raises(voxtide.DeadlineError, match=r"nobody reads|took no audio"):
            await alone(speak(session, *[minute] * 10))


async def test_a_source_that_breaks_ends_the_session_with_its_error(shell):
    def broken():
        yield TENTH
        raise OSError("the microphone is gone")

    async with (
        fakes.realtime(Talk.accept) as fake,
        shell(fake.base_url).stream(broken()) as session,
    ):
        with pytest.raises(OSError, match="the microphone is gone"):
            await collect(session)


@pytest.mark.parametrize("kind", ["list", "generator", "async", "file", "bytes"])
async def test_any_source_is_fed_to_its_end(shell, kind, tmp_path):
    async def later():
        for chunk in chunks:
            yield chunk

    async def script(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", json.dumps(len(talk.audio)))

    chunks = [TENTH.tobytes()] * 30
    path = tmp_path / "audio.raw"
    path.write_bytes(b"".join(chunks))
    with path.open("rb") as file:
        source = {
            "list": chunks,
            "generator": iter(chunks),
            "async": later(),
            "file": file,
            "bytes": b"".join(chunks),
        }[kind]
        async with (
            fakes.realtime(script) as fake,
            shell(fake.base_url).stream(source) as session,
        ):
            events = await collect(session)
    assert events[-1] == Final("96000", "item_1")
    assert fake.talks[0].audio == b"".join(chunks)


async def test_closing_what_is_closed_is_no_error():
    async with fakes.realtime(Talk.accept) as fake:

        def left() -> voxtide.Session:
            with voxtide.Client(fake.base_url).stream() as session:
                return session

        session = await asyncio.to_thread(left)
        await asyncio.to_thread(session.close)
        with pytest.raises(voxtide.DisconnectedError):
            await asyncio.to_thread(session.feed, TENTH)
