"""One suite for both shells, `voxtide.aio` and `voxtide.sync`, against a scripted server."""

import asyncio
import socket
import sys
import threading
import time

import numpy as np
import pytest

import voxtide
from voxtide import Final, Partial, Segment, ServerError, SessionReady, Timeout, Unknown, Word
from voxtide.sources.feeding import _seconds

from . import fakes
from .fakes import Talk

SECOND = np.arange(16000, dtype=np.int16)
NEVER = voxtide.Reconnect(seconds=0)


async def speak(session, *chunks):
    for chunk in chunks:
        await session.feed(chunk)
    await session.finish()


async def events_of(session, *chunks):
    """Feed and iterate at the same time; everything the session says."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(session, *chunks))
        return [event async for event in session]


async def one_turn(talk: Talk):
    await talk.accept()
    await talk.receive()
    await talk.delta("item_1", " se", end=0.4)
    await talk.delta("item_1", "ven", end=0.48)
    await talk.commit()
    words = [{"word": "seven", "start": 0.1, "end": 0.48}]
    await talk.send(
        f"{fakes.TRANSCRIPTION}.segment",
        item_id="item_1", id="seg_1", text="seven", speaker="", start=0.1, end=0.48, words=words,
    )  # fmt: skip
    await talk.complete("item_1", "seven", words=words, start=0.0, end=1.0)


async def test_a_turn_comes_as_partials_a_segment_and_a_final(shell):
    async with fakes.realtime(one_turn) as fake:
        client = shell(fake.base_url, api_key="secret")
        async with client.stream(model="nano", language="en") as session:
            events = await events_of(session, SECOND[:4000].tobytes(), SECOND[4000:])
    word = Word("seven", 0.1, 0.48)
    assert isinstance(events[0], SessionReady)
    assert events[0].id == "sess_1"
    assert events[1:] == [
        Partial(" se", 0.4, "item_1"),
        Partial("ven", 0.48, "item_1"),
        Segment("seg_1", "seven", 0.1, 0.48, (word,), "item_1"),
        Final("seven", "item_1", (word,), 0.0, 1.0),
    ]
    (talk,) = fake.talks
    assert talk.path == "/v1/realtime?intent=transcription"
    assert talk.headers["Authorization"] == "Bearer secret"
    assert talk.audio == SECOND.tobytes()
    assert talk.settings == {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 16000},
                "transcription": {"model": "nano", "language": "en"},
                "turn_detection": None,
            }
        },
        "acknowledge": True,
    }
    assert fake.close_codes == [1000]


async def test_who_feeds_without_a_pause_leaves_turns_to_who_reads():
    turns = 0

    async def read():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with fakes.realtime(one_turn) as fake:
        client = voxtide.AsyncClient(fake.base_url)
        async with client.stream(model="nano") as session:
            reading = asyncio.create_task(read())
            for _ in range(20):
                await session.feed(SECOND[:800])
            reading.cancel()
    assert turns > 10


async def test_a_subprocess_of_asyncio_is_read_as_it_comes():
    """Zeros, in which there is no end of a line."""

    async def script(talk: Talk):
        await talk.accept()
        await talk.commit()
        await talk.complete("item_1", f"of {len(talk.audio)}")

    code = "import sys; sys.stdout.buffer.write(bytes(200_000))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    async with (
        fakes.realtime(script) as fake,
        voxtide.AsyncClient(fake.base_url).stream(process.stdout) as session,
    ):
        events = [event async for event in session]
    await process.wait()
    assert events[-1] == Final("of 200000", "item_1")


def test_the_length_of_an_array_does_not_depend_on_its_channels():
    of_one, of_two = np.zeros(16000, np.int16), np.zeros((16000, 2), np.int16)
    assert _seconds(of_one, 16000, 32_000) == _seconds(of_two, 16000, 64_000) == 1.0
    assert _seconds(of_two.tobytes(), 16000, 64_000) == 1.0


async def test_flush_ends_a_turn_and_finish_without_new_audio_ends_the_session(shell):
    async def script(talk):
        await talk.accept()
        for turn, text in (("item_1", "one"), ("item_2", "two")):
            await talk.commit()
            await talk.complete(turn, text)

    async with fakes.realtime(script) as fake, shell(fake.base_url).stream() as session:
        events = aiter(session)
        assert isinstance(await anext(events), SessionReady)
        for expected in (Final("one", "item_1"), Final("two", "item_2")):
            await session.feed(SECOND)
            await session.flush()
            assert await anext(events) == expected
        waiting = asyncio.ensure_future(anext(events, "ended"))
        await asyncio.sleep(0.05)
        await session.finish()
        assert await asyncio.wait_for(waiting, 10) == "ended"


async def test_a_session_that_was_never_fed_ends_without_a_transcript(shell):
    async with (
        fakes.realtime(Talk.accept) as fake,
        shell(fake.base_url).stream() as session,
        asyncio.timeout(10),
    ):
        assert [type(event) for event in await events_of(session)] == [SessionReady]


async def test_a_slow_server_slows_the_feed_and_still_gets_everything(shell):
    read_on = asyncio.Event()

    async def script(talk):
        await talk.accept()
        await read_on.wait()
        await talk.commit()
        await talk.complete("item_1", "all of it")

    audio = np.tile(SECOND, 60)
    async with fakes.realtime(script) as fake, shell(fake.base_url).stream() as session:
        speaking = asyncio.ensure_future(speak(session, audio))
        await asyncio.sleep(0.3)
        assert not speaking.done(), "a minute of audio was buffered"
        read_on.set()
        assert [e async for e in session][-1] == Final("all of it", "item_1")
        await speaking
    assert fake.talks[0].audio == audio.tobytes()


async def test_feeding_a_server_that_takes_nothing_times_out(shell):
    async def script(talk):
        await talk.accept()
        await talk.stall()

    async with (
        fakes.realtime(script) as fake,
        shell(fake.base_url, timeout=Timeout(feed=0.2)).stream() as session,
    ):
        with pytest.raises(voxtide.DeadlineError, match=r"took no audio for 0\.2 s"):
            await session.feed(np.tile(SECOND, 60))


async def test_a_final_that_does_not_come_times_out(shell):
    async def script(talk):
        await talk.accept()
        await talk.commit()
        await talk.stall()

    async with (
        fakes.realtime(script) as fake,
        shell(fake.base_url, timeout=Timeout(final=0.2)).stream() as session,
    ):
        with pytest.raises(voxtide.DeadlineError, match="final transcript"):
            await alone(events_of(session, SECOND[:1600]))


async def test_silence_is_no_reason_to_time_out_while_nothing_is_owed(shell):
    async with (
        fakes.realtime(one_turn) as fake,
        shell(fake.base_url, timeout=Timeout(final=0.3)).stream() as session,
    ):
        listening = asyncio.ensure_future(collect(session))
        await asyncio.sleep(0.4)
        await speak(session, SECOND)
        assert isinstance((await listening)[-1], Final)


@pytest.mark.parametrize(
    ("code", "error", "retryable"),
    [
        (1000, voxtide.DisconnectedError, True),
        (1008, voxtide.RejectedError, False),
        (1011, voxtide.ServerFailedError, True),
        (1012, voxtide.DisconnectedError, True),
        (1013, voxtide.OverloadedError, True),
    ],
)
async def test_a_server_that_closes_in_a_turn_raises_what_the_code_means(
    shell, code, error, retryable
):
    async def script(talk):
        await talk.accept()
        await talk.receive()
        await talk.delta("item_1", " hello")
        await talk.close(code, "because")

    async with (
        fakes.realtime(script) as fake,
        shell(fake.base_url).stream(reconnect=NEVER) as session,
    ):
        await session.feed(SECOND)
        events = aiter(session)
        assert isinstance(await anext(events), SessionReady)
        assert await anext(events) == Partial(" hello", None, "item_1")
        with pytest.raises(error, match="because") as raised:
            await anext(events)
        with pytest.raises(error):
            await session.feed(SECOND)
    assert type(raised.value) is error
    assert raised.value.close_code == code
    assert raised.value.retryable is retryable


async def test_an_error_event_right_before_the_end_is_what_gets_raised(shell):
    async def script(talk):
        await talk.accept()
        await talk.send("error", error={"code": "session_too_old", "message": "Start a new one."})
        await talk.close(1013)

    async with (
        fakes.realtime(script) as fake,
        shell(fake.base_url).stream(reconnect=NEVER) as session,
    ):
        with pytest.raises(voxtide.OverloadedError, match=r"Start a new one\.") as raised:
            await collect(session)
    assert raised.value.code == "session_too_old"


async def test_a_lost_connection_is_retryable(shell):
    async def script(talk):
        await talk.accept()
        talk.cut()

    async with (
        fakes.realtime(script) as fake,
        shell(fake.base_url).stream(reconnect=NEVER) as session,
    ):
        with pytest.raises(voxtide.DisconnectedError) as raised:
            await collect(session)
    assert raised.value.close_code == 1006


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, voxtide.AuthenticationError), (503, voxtide.OverloadedError)],
)
async def test_a_refused_handshake_carries_the_servers_words(shell, status, error):
    body = '{"error": {"message": "No room.", "type": "x", "param": null, "code": "full"}}'
    async with fakes.realtime(Talk.accept, refuse=(status, body)) as fake:
        with pytest.raises(error, match=r"No room\.") as raised:
            async with shell(fake.base_url).stream():
                pass
    assert (raised.value.status, raised.value.code) == (status, "full")


async def test_no_server_is_one_clear_message_with_its_url(shell):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = f"127.0.0.1:{port}/v1"
    with pytest.raises(voxtide.UnreachableError, match=f"{url}/realtime.*connection refused"):
        async with shell(f"http://{url}").stream():
            pass
    with pytest.raises(voxtide.UnreachableError, match=f"{url}/audio.*connection refused"):
        await shell(f"http://{url}", max_retries=0).transcribe(b"")


async def test_a_server_that_never_answers_is_unreachable(shell):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        client = shell(f"http://127.0.0.1:{mute.getsockname()[1]}/v1", timeout=Timeout(connect=0.2))
        with pytest.raises(voxtide.UnreachableError, match="in time"):
            async with client.stream():
                pass


async def test_settings_that_are_not_answered_time_out(shell):
    async def script(talk):
        await talk.send("session.created", session={})

    async with fakes.realtime(script) as fake:
        with pytest.raises(voxtide.DeadlineError, match="accept the session"):
            async with shell(fake.base_url, timeout=Timeout(connect=1)).stream():
                pass


async def test_refused_settings_name_the_field(shell):
    async def script(talk):
        await talk.receive()
        error = {"type": "invalid_request_error", "code": "bad", "message": "No.", "param": "rate"}
        await talk.send("error", error=error)

    async with fakes.realtime(script) as fake:
        with pytest.raises(voxtide.RejectedError, match=r"No\. \(field: rate\)") as raised:
            async with shell(fake.base_url).stream():
                pass
    assert (raised.value.code, raised.value.param) == ("bad", "rate")


async def test_an_error_or_a_failed_turn_does_not_end_the_session(shell):
    async def script(talk):
        await talk.accept()
        await talk.send("error", error={"type": "server_error", "message": "Odd."})
        await talk.commit()
        await talk.send("input_audio_buffer.committed", item_id="item_1")
        failure = {"code": "engine_lost", "type": "server_error", "message": "Lost."}
        await talk.send(f"{fakes.TRANSCRIPTION}.failed", item_id="item_1", error=failure)

    async with fakes.realtime(script) as fake, shell(fake.base_url).stream() as session:
        events = await events_of(session, SECOND)
    assert events[1:] == [
        ServerError("server_error", "Odd.", None, True),
        ServerError("engine_lost", "Lost.", None, True, turn="item_1"),
    ]


@pytest.mark.parametrize("text", ["garbage", "[1]", '{"type": 7}', "{"])
async def test_garbage_is_a_protocol_error(shell, text):
    async def script(talk):
        await talk.accept()
        await talk.send_text(text)

    async with fakes.realtime(script) as fake, shell(fake.base_url).stream() as session:
        with pytest.raises(voxtide.ProtocolError):
            await collect(session)


async def test_unknown_events_are_kept_as_they_came(shell):
    async def script(talk):
        await talk.accept()
        await talk.send_text('{"type": "weather.changed", "degrees": 21}')
        await talk.commit()
        await talk.complete("item_1", "hello", mood="good")

    async with fakes.realtime(script) as fake, shell(fake.base_url).stream() as session:
        events = await events_of(session, SECOND)
    data = {"type": "weather.changed", "degrees": 21}
    assert events[1:] == [Unknown("weather.changed", data), Final("hello", "item_1")]


async def test_leaving_in_the_middle_closes_at_once_and_leaves_nothing_behind(shell):
    tasks = asyncio.all_tasks()
    async with fakes.realtime(Talk.accept) as fake:
        async with shell(fake.base_url).stream() as session:
            await session.feed(SECOND)
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        await fake.session_ended.wait()
    assert fake.close_codes == [1000]
    assert asyncio.all_tasks() == tasks
    # asyncio keeps its pool of threads.
    assert not [t.name for t in threading.enumerate() if t.name.startswith("voxtide")]


async def test_leaving_cuts_off_a_feed_that_waits_for_the_server(shell):
    async def script(talk):
        await talk.accept()
        await talk.stall()

    async with fakes.realtime(script) as fake:
        async with shell(fake.base_url).stream() as session:
            speaking = asyncio.ensure_future(speak(session, np.tile(SECOND, 60)))
            await asyncio.sleep(0.2)
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        with pytest.raises(voxtide.DisconnectedError):
            await speaking


async def test_a_cancelled_task_leaves_no_task_behind():
    async def listen(base_url):
        async with voxtide.AsyncClient(base_url).stream() as session:
            async for _ in session:
                pass

    async with fakes.realtime(Talk.accept) as fake:
        before = asyncio.all_tasks()
        listening = asyncio.ensure_future(listen(fake.base_url))
        await fake.session_began.wait()
        await asyncio.sleep(0.05)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await fake.session_ended.wait()
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() == before
    assert fake.close_codes == [1000]


async def collect(session):
    return [event async for event in session]


async def alone(awaitable):
    """Wait, and raise the one error of a task group as it is."""
    try:
        return await awaitable
    except ExceptionGroup as group:
        (error,) = group.exceptions
        raise error from None
