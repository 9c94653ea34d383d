"""What kills or starves stock vLLM, done to a server with four places in its engine and
room for streams of 41 s."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import Iterator

import httpx
import jiwer
import numpy as np
import psutil
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed

from tests.conftest import Clip, Server, serving
from tests.integration.audio import Pcm, base64_pieces, pause, pcm16
from tests.integration.live import SURE, eventually, gauge, session

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PLACES = 4

"""Clips in which no token is a near tie (the smallest margin of a logit is 0.7), so that what
else is in the batch cannot change it."""


@pytest.fixture
def sure(clips: list[Clip]) -> list[Clip]:
    return [clip for clip in clips if clip.path.stem in SURE]


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    flags = ("--max-num-seqs", str(PLACES), "--max-model-len", "512")
    with serving("--max-sessions", "32", "--", *flags) as server:
        yield server


@pytest.fixture(scope="module")
def tight() -> Iterator[Server]:
    """A server whose KV cache has room for one stream of full length."""
    flags = ("--max-num-seqs", "8", "--max-model-len", "512", "--num-gpu-blocks-override", "8")
    # Unasked, the server would let in no more than there is memory for.
    with serving("--max-sessions", "8", "--", *flags) as server:
        yield server


async def file_text(server: Server, clip: Clip) -> str:
    async with httpx.AsyncClient(timeout=120) as client:
        url = f"{server.base_url}/audio/transcriptions"
        response = await client.post(url, files={"file": clip.path.read_bytes()})
    return str(response.raise_for_status().json()["text"])


async def test_other_requests_in_the_batch_of_live_streams_do_no_harm(
    small: Server, clips: list[Clip], sure: list[Clip]
) -> None:
    """Stock vLLM's engine dies: only rows with audio get an embedding there."""

    async def speak(clip: Clip) -> str:
        async with session(small) as live:
            await live.say(pcm16(clip.path), paced=True)
            await live.commit()
            return await live.transcript()

    async def complete() -> int:
        async with httpx.AsyncClient(timeout=120) as client:
            body = {
                "model": "nano",
                "prompt": [1, 40, 41, 42],
                "max_tokens": 40,
                "ignore_eos": True,
            }
            response = await client.post(f"{small.base_url}/completions", json=body)
        return int(response.json()["usage"]["completion_tokens"])

    async def translate() -> int:
        async with httpx.AsyncClient(timeout=120) as client:
            url = f"{small.base_url}/audio/translations"
            response = await client.post(url, files={"file": clips[0].path.read_bytes()})
        return response.status_code

    speaking = [asyncio.create_task(speak(clip)) for clip in sure[:2]]
    generated = []
    while not all(task.done() for task in speaking):
        generated += await asyncio.gather(complete(), complete())
        await translate()  # vLLM's own way for files, which decodes past the end of its audio
    assert set(generated) == {40}
    assert [task.result() for task in speaking] == [clip.text for clip in sure[:2]]


async def test_sessions_that_pause_do_not_starve_the_next_one(
    small: Server, clips: list[Clip]
) -> None:
    """In stock vLLM as many as --max-num-seqs block everybody else for ever."""
    halves = [(pcm16(c.path)[:16_000], pcm16(c.path)[16_000:], c.text) for c in clips[:PLACES]]
    async with asyncio.timeout(240), asyncio.TaskGroup() as group:
        said, go_on = asyncio.Semaphore(0), asyncio.Event()

        async def pausing(first: Pcm, second: Pcm, text: str) -> None:
            async with session(small) as live:
                await live.say(first)
                said.release()
                await go_on.wait()
                await live.say(second)
                await live.commit()
                assert await live.transcript() == text

        for half in halves:
            group.create_task(pausing(*half))
        for _ in halves:
            await said.acquire()
        async with session(small) as live:
            await live.say(pcm16(clips[5].path))
            await live.commit()
            assert await live.transcript() == clips[5].text
        assert await file_text(small, clips[6]) == clips[6].text
        await eventually(small, "vllm:num_requests_running", 0)  # all are paused
        assert await gauge(small, "vllm:kv_cache_usage_perc") == 0
        go_on.set()


async def test_more_speakers_than_places_are_all_heard(small: Server, clips: list[Clip]) -> None:
    async def speak(clip: Clip) -> str:
        async with session(small) as live:
            await live.say(pcm16(clip.path))
            await live.commit()
            return await live.transcript()

    spoken = clips[: 3 * PLACES]
    assert await asyncio.gather(*map(speak, spoken)) == [clip.text for clip in spoken]


async def test_a_stream_longer_than_the_model_allows_goes_on(
    small: Server, clips: list[Clip]
) -> None:
    """Stock vLLM ends at --max-model-len and throws the rest away."""
    some = [clip for clip in clips if len(pcm16(clip.path)) < 16_000 * 8][:6]
    audio = np.concatenate([part for c in some for part in (pcm16(c.path), pause(1.0))])
    times = -(-130 * 16_000 // len(audio))
    async with session(small) as live:
        sending = asyncio.create_task(live.say(np.tile(audio, times)))
        sending.add_done_callback(lambda _: asyncio.ensure_future(live.commit()))
        # A clip that follows others is not always heard as it is alone.
        assert jiwer.wer(" ".join(c.text for c in some * times), await live.transcript()) <= 0.05


async def test_a_client_that_never_commits_is_slowed_and_harms_nobody(
    small: Server, clips: list[Clip], sure: list[Clip]
) -> None:
    """Stock vLLM takes whatever comes into memory: 480 MB of audio made 1 GB of it."""
    speech = np.tile(np.concatenate([pcm16(clip.path) for clip in clips]), 4)
    seconds = 0
    before = memory(small)
    async with session(small) as greedy:
        # What waits in the kernel of this end would be counted as taken.
        own = greedy.socket.transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)

        async def flood() -> None:
            nonlocal seconds
            while True:
                for piece in base64_pieces(speech, 16_000):
                    message = {"type": "input_audio_buffer.append", "audio": piece}
                    await greedy.socket.send(json.dumps(message))
                    await asyncio.sleep(0)  # or nobody else in this process has a turn
                    seconds += 1

        flooding = asyncio.create_task(flood())
        reading = asyncio.create_task(greedy.until("never", seconds=600))
        for clip in sure:
            async with session(small) as live:
                await live.say(pcm16(clip.path), paced=True)
                await live.commit()
                assert await live.transcript() == clip.text
        flooding.cancel()
        reading.cancel()
        await asyncio.gather(flooding, reading, return_exceptions=True)
        heard = [event["end"] for event in greedy.events if "end" in event]
    assert seconds > 60, "the client was not even given what it was due"
    # 10 s wait for the engine, the sockets hold as much again, and some end in a pause.
    assert heard[-1] > seconds - 45
    assert memory(small) - before < 60 << 20


def memory(server: Server) -> int:
    """Bytes that all processes of a server hold, but for the KV cache, which is filled once."""
    processes = psutil.Process(server.process.pid).children(recursive=True)
    return sum(p.memory_info().rss for p in processes if "Worker" not in " ".join(p.cmdline()))


async def test_twenty_who_leave_in_the_middle_of_a_step_are_forgotten(
    small: Server, clips: list[Clip], sure: list[Clip]
) -> None:
    async def leave(number: int) -> None:
        async with session(small) as live:
            await live.say(pcm16(clips[number % len(clips)].path)[: 16_000 + 3_000 * number])
            live.socket.transport.abort()

    async with session(small) as stays:
        speaking = asyncio.create_task(stays.say(pcm16(sure[0].path), paced=True))
        for number in range(20):
            await asyncio.gather(leave(number), return_exceptions=True)
        await speaking
        await stays.commit()
        assert await stays.transcript() == sure[0].text
    await eventually(small, "vllm:num_requests_running", 0)
    await eventually(small, "vllm:num_requests_waiting", 0)


async def test_files_do_not_keep_a_live_speaker_waiting(
    small: Server, clips: list[Clip], sure: list[Clip]
) -> None:
    """Its words are there before the file that was sent first is through."""
    long = np.tile(np.concatenate([np.append(pcm16(c.path), pause(1.0)) for c in clips]), 2)
    async with httpx.AsyncClient(timeout=600) as client:
        wav = wave(long)
        url = f"{small.base_url}/audio/transcriptions"
        filing = [
            asyncio.create_task(client.post(url, files={"file": ("long.wav", wav)}))
            for _ in range(2)
        ]
        while not (await gauge(small, "vllm:num_requests_running") or filing[0].done()):
            await asyncio.sleep(0.02)
        async with session(small) as live:
            await live.say(pcm16(sure[0].path), paced=True)
            await live.commit()
            assert await live.transcript() == sure[0].text
        assert not any(task.done() for task in filing)
        texts = [response.json()["text"] for response in await asyncio.gather(*filing)]
    for text in texts:
        assert jiwer.wer(" ".join(clip.text for clip in clips * 2), text) <= 0.05


async def test_streams_that_find_no_memory_are_heard_to_their_end(
    tight: Server, sure: list[Clip]
) -> None:
    """Eight speak at once."""
    audio = np.concatenate([part for c in sure for part in (pcm16(c.path), pause(1.0))])

    async def speak() -> str:
        async with session(tight) as live:
            await live.say(np.tile(audio, 2))
            await live.commit()
            return await live.transcript()

    texts = await asyncio.gather(*[speak() for _ in range(8)])
    assert "its audio is heard again" in tight.log.read_text(), "there was memory enough"
    for text in texts:
        # A clip that is cut in two, or follows others, is not always heard as it is alone.
        assert jiwer.wer(" ".join(clip.text for clip in sure * 2), text) <= 0.03


def wave(pcm: Pcm) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, 16_000, format="WAV")
    return file.getvalue()


# The last of this file: it is the end of both servers.
@pytest.mark.parametrize(
    ("victim", "of"), [("VLLM::EngineCore", "tight"), ("VLLM::Worker", "small")]
)
async def test_a_dead_engine_ends_every_session_with_where_it_was(
    victim: str, of: str, clips: list[Clip], request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(of)
    pcm = pcm16(clips[0].path)
    async with session(server) as first, session(server) as second:
        for live in (first, second):
            await live.say(pcm)
            for _ in range(3):
                await live.until("transcription.delta")
        processes = psutil.Process(server.process.pid).children(recursive=True)
        next(p for p in processes if victim in " ".join(p.cmdline())).kill()
        for live in (first, second):
            error = (await live.until("error"))["error"]
            assert error["code"] == "engine_dead"
            # What came after the last gap between two words would be heard again.
            assert 0.0 <= error["acknowledged_s"] <= len(pcm) / 16_000
            with pytest.raises(ConnectionClosed) as closed:
                await live.until("never")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.HTTPError):  # it is unhealthy, or gone already
            (await client.get(f"http://{server.host}/health")).raise_for_status()
    assert await asyncio.to_thread(server.process.wait, 60) not in (0, None)
