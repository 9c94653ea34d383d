"""The file endpoint over real HTTP, with an engine that needs no model."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from fastapi import FastAPI

from tests.fakes.drive import Drive
from tests.fakes.engine import (
    LAYOUT,
    FakeEngine,
    FakeStream,
    FakeVocabulary,
    LostStream,
    say,
    silence,
)
from tests.fakes.garbage import gone, uncollected
from voxtide_server import transcriptions
from voxtide_server.config import Config
from voxtide_server.deployment import deploy
from voxtide_server.engine import SAMPLE_RATE, Samples
from voxtide_server.errors import BadInput, EngineFailed
from voxtide_server.events import Completed, Delta, Event
from voxtide_server.plugin import VoxtidePlugin
from voxtide_server.session import Session
from voxtide_server.watch import Progress

URL = "/v1/audio/transcriptions"
DEFAULTS = Config()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def client(engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    api = FastAPI()
    VoxtidePlugin().attach_router(api)
    api.state.voxtide = deploy(engine, Config(max_upload_bytes=20_000_000), 4)
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    assert engine.live == 0, "every stream was given back"


def wav(*pieces: Samples) -> bytes:
    sink = io.BytesIO()
    soundfile.write(sink, np.concatenate(pieces), 16_000, format="WAV", subtype="FLOAT")
    return sink.getvalue()


AUDIO = wav(say(1), silence(1.5), say(2), silence(0.3))


async def post(client: httpx.AsyncClient, content: bytes = AUDIO, **fields: Any) -> httpx.Response:
    return await client.post(URL, files={"file": ("a.wav", content)}, data=fields)


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("json", "application/json"),
        ("verbose_json", "application/json"),
        ("text", "text/plain; charset=utf-8"),
        ("srt", "application/x-subrip; charset=utf-8"),
        ("vtt", "text/vtt; charset=utf-8"),
    ],
)
async def test_every_format(client: httpx.AsyncClient, format: str, media_type: str) -> None:
    response = await post(client, model="fake", response_format=format)
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert "w1" in response.text
    assert "w2" in response.text


async def test_lists_may_be_spelt_with_and_without_brackets(client: httpx.AsyncClient) -> None:
    for name in ("timestamp_granularities", "timestamp_granularities[]"):
        fields = {name: ["word", "segment"], "response_format": "verbose_json", "language": "en"}
        body = (await post(client, **fields)).json()
        assert [w["word"] for w in body["words"]] == ["w1", "w2"]
        assert [s["text"] for s in body["segments"]] == ["w1", "w2"]
        assert body["language"] == "en"
        assert body["duration"] == pytest.approx(2.4)


@pytest.mark.parametrize("name", ["include", "include[]"])
async def test_logprobs_where_they_are_asked_for(client: httpx.AsyncClient, name: str) -> None:
    told = [{"token": f" w{n}", "bytes": list(f" w{n}".encode()), "logprob": -0.25} for n in (1, 2)]
    body = (await post(client, **{name: "logprobs"})).json()
    assert body["logprobs"] == told
    assert "logprobs" not in (await post(client)).json()
    verbose = (await post(client, response_format="verbose_json", **{name: "logprobs"})).json()
    assert [segment["avg_logprob"] for segment in verbose["segments"]] == [-0.25, -0.25]
    streamed = await post(client, stream="true", **{name: "logprobs"})
    *deltas, done = (json.loads(line[6:]) for line in streamed.text.splitlines() if "type" in line)
    assert [scored for delta in deltas for scored in delta["logprobs"]] == done["logprobs"] == told
    text = await post(client, response_format="srt", **{name: "logprobs"})
    assert text.headers["voxtide-ignored"] == "include"
    wrong = await post(client, **{name: "moods"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "include")


async def test_streamed_text_is_the_text(client: httpx.AsyncClient) -> None:
    response = await post(client, stream="true")
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line[6:] for line in response.text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    events = [json.loads(line) for line in lines]
    *deltas, done = events
    assert {e["type"] for e in deltas} == {"transcript.text.delta"}
    assert done["type"] == "transcript.text.done"
    assert "".join(e["delta"] for e in deltas).strip() == done["text"] == "w1 w2"


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "whisper-1"}, 404, "model_not_found", "model"),
        ({"response_format": "docx"}, 400, "invalid_value", "response_format"),
        ({"stream": "maybe"}, 400, "invalid_value", "stream"),
        ({"timestamp_granularities[]": "letter"}, 400, "invalid_value", "timestamp_granularities"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, fields: dict[str, str], status: int, code: str, param: str
) -> None:
    response = await post(client, **fields)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_audio_file"),
        (b"hello world, this is no audio" * 50, "invalid_audio_file"),
        (AUDIO[: len(AUDIO) // 2], "truncated_audio_file"),
        (wav(silence(0.0)), "empty_audio_file"),
    ],
    ids=["nothing", "text", "half a file", "no samples"],
)
async def test_a_bad_file_is_named_and_the_next_one_works(
    client: httpx.AsyncClient, content: bytes, code: str
) -> None:
    response = await post(client, content)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, code, "file")
    assert (await post(client)).json()["text"] == "w1 w2"


@pytest.mark.parametrize(
    "request_",
    [
        {"data": {"diarize": "false", "stream": "false"}},
        {"data": {"context_bias": ["voxtide"]}},
        {"headers": {"User-Agent": "mistral-client-python/3.7.0"}},
    ],
    ids=["diarize", "context_bias", "agent"],
)
async def test_mistrals_clients_are_answered_in_their_shape(
    client: httpx.AsyncClient, request_: dict[str, Any]
) -> None:
    answer = await client.post(URL, files={"file": ("a.wav", AUDIO)}, **request_)
    body = answer.json()
    assert (body["text"], body["model"], body["language"]) == ("w1 w2", "fake", None)
    assert [segment["text"] for segment in body["segments"]] == ["w1", "w2"]
    assert body["usage"]["prompt_audio_seconds"] == 2


async def test_mistrals_events_have_names(client: httpx.AsyncClient) -> None:
    response = await post(client, stream="true", diarize="false", language="en")
    events = [part.split("\n") for part in response.text.strip().split("\n\n")]
    told = [json.loads(data.removeprefix("data: ")) for _, data in events]
    assert [name.removeprefix("event: ") for name, _ in events] == [t["type"] for t in told]
    *deltas, done = told
    assert {t["type"] for t in deltas} == {"transcription.text.delta"}
    assert done["type"] == "transcription.done"
    assert "".join(t["text"] for t in deltas).strip() == done["text"] == "w1 w2"
    assert done["language"] == "en"


@pytest.mark.parametrize("format", ["json", "srt"])
async def test_what_had_no_effect_is_told(client: httpx.AsyncClient, format: str) -> None:
    fields = {"prompt": "voxtide", "temperature": "0.0", "x\r\ny": "1", "diarize": "true"}
    response = await post(client, response_format=format, **fields)
    assert response.headers["voxtide-ignored"] == "diarize, prompt, temperature"
    assert "voxtide-ignored" not in (await post(client, response_format=format)).headers


@pytest.mark.parametrize("name", ["file_url", "file_id"])
async def test_files_elsewhere_are_refused(client: httpx.AsyncClient, name: str) -> None:
    response = await client.post(URL, data={name: "https://a.example/b.wav"})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, "unsupported_value", name)


async def test_a_file_must_be_there(client: httpx.AsyncClient) -> None:
    response = await client.post(URL, data={"model": "fake", "file": "text"})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"


async def test_a_form_that_cannot_be_read_is_a_plain_error(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "multipart/form-data"}  # without its boundary
    broken = await client.post(URL, content=b"nonsense", headers=headers)
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "invalid_value")


async def test_an_upload_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    response = await post(client, bytes(20_000_000))
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (
        413,
        "upload_too_large",
        "file",
    )


async def test_a_dead_engine_is_a_retryable_error(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.dead = True
    response = await post(client)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "engine_dead")
    assert response.headers["retry-after"]
    streamed = await post(client, stream="true")
    assert '"engine_dead"' in streamed.text


# ---- long files --------------------------------------------------------------------


def speech(words: int) -> Samples:
    """So many words, and 1.2 s each with the pause after it."""
    said = [np.concatenate((say(500 + n % 400, 0.5), silence(0.7))) for n in range(words)]
    return np.concatenate(said)


def text(words: int) -> str:
    return " ".join(f"w{500 + n % 400}" for n in range(words))


def of_one_stream(audio: Samples) -> Completed:
    """What a single turn makes of it."""
    drive = Drive()
    drive.say(*np.array_split(audio, 50))
    return drive.commit()


async def until(engine: FakeEngine, streams: int) -> None:
    """Wait until so many streams are open at once."""
    async with asyncio.timeout(20):
        while engine.live < streams:
            await asyncio.sleep(0.005)


async def test_a_long_file_goes_as_windows_side_by_side(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.going.clear()
    audio = speech(130)  # 156 s
    answer = asyncio.create_task(post(client, wav(audio), response_format="verbose_json"))
    await until(engine, 6)
    engine.going.set()
    body = (await answer).json()
    assert engine.opened == engine.bulk >= engine.most >= 6
    assert body["text"] == text(130) == of_one_stream(audio).text
    assert body["duration"] == pytest.approx(156.0)


async def test_times_and_segments_run_on_over_the_windows(client: httpx.AsyncClient) -> None:
    fields = {"timestamp_granularities": ["word", "segment"], "response_format": "verbose_json"}
    audio = np.concatenate((speech(60), silence(2.0), speech(5)))
    body = (await post(client, wav(audio), **fields)).json()
    expected = [0.5 + 1.2 * n for n in range(60)] + [74.5 + 1.2 * n for n in range(5)]
    assert [word["end"] for word in body["words"]] == pytest.approx(expected, abs=0.08)
    spoken = " ".join(segment["text"] for segment in body["segments"])
    assert spoken == body["text"] == of_one_stream(audio).text
    assert all(a["end"] <= b["start"] for a, b in pairwise(body["segments"]))


async def test_streamed_text_of_a_long_file_is_its_text_in_its_order(
    client: httpx.AsyncClient,
) -> None:
    response = await post(client, wav(speech(130)), stream="true")
    events = [json.loads(line[6:]) for line in response.text.splitlines() if "{" in line]
    *deltas, done = events
    assert len(deltas) > 130
    assert "".join(event["delta"] for event in deltas).strip() == done["text"] == text(130)


async def test_streamed_text_is_the_text_where_windows_begin_without_a_space(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = FakeVocabulary.piece
    monkeypatch.setattr(FakeVocabulary, "piece", lambda *args: piece(*args).strip())
    response = await post(client, wav(speech(130)), stream="true")
    *deltas, done = [json.loads(line[6:]) for line in response.text.splitlines() if "{" in line]
    assert "".join(event["delta"] for event in deltas) == done["text"]
    assert done["text"].replace(" ", "") == text(130).replace(" ", "")
    assert done["text"].count(" ") >= 4, "one between any two windows"


async def test_usage_of_a_long_file_counts_every_window(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    response = await post(client, wav(speech(130)), stream="true")
    (line,) = [line for line in response.text.splitlines() if "transcript.text.done" in line]
    usage = json.loads(line[6:])["usage"]
    assert usage["input_tokens"] == engine.opened * engine.layout.prompt
    assert usage["output_tokens"] >= 156 / 0.08
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


async def test_silence_between_the_words_of_a_long_file_leaves_no_gap_in_the_text(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    audio = np.concatenate((speech(3), silence(120.0), speech(3)))
    assert (await post(client, wav(audio))).json()["text"] == f"{text(3)} {text(3)}"
    assert engine.opened > 3, "windows in which nothing is said are among them"


async def test_a_window_that_fails_is_the_error_of_the_request(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.kind = lambda stream: LostStream if stream.split("_")[-2] == "3" else FakeStream
    content = wav(speech(130))
    response = await post(client, content)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "engine_failed")
    streamed = await post(client, content, stream="true")
    assert '"engine_failed"' in streamed.text
    assert "transcript.text.done" not in streamed.text
    assert "[DONE]" not in streamed.text
    engine.kind = lambda _: FakeStream
    assert (await post(client, content)).json()["text"] == text(130)


async def test_windows_that_lose_their_stream_are_heard_again(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    content = wav(speech(130))
    assert (await post(client, content)).json()["text"] == text(130)
    windows, engine.opened = engine.opened, 0
    engine.kind = lambda stream: LostStream if stream.endswith("_0") else FakeStream
    assert (await post(client, content)).json()["text"] == text(130)
    assert engine.opened == 2 * windows


class Blocks:
    """Audio as `files.decode` yields it.

    Attributes:
        read: blocks that were taken.
    """

    def __init__(self, audio: Samples) -> None:
        self._audio = audio
        self.read = 0

    def __iter__(self) -> Iterator[Samples]:
        for start in range(0, len(self._audio), SAMPLE_RATE):
            self.read += 1
            yield self._audio[start : start + SAMPLE_RATE]


async def collected(
    blocks: Iterable[Samples], engine: FakeEngine, config: Config = DEFAULTS
) -> list[Event]:
    progress = Progress("file", "", LAYOUT)
    events = transcriptions.transcribe(iter(blocks), engine, config, progress)
    return [event async for event in events]


async def at_rest(blocks: Blocks) -> int:
    """Wait until no more is read; how much was."""
    before = -1
    while blocks.read != before:
        before = blocks.read
        await asyncio.sleep(0.2)
    return before


@pytest.mark.parametrize("windows", [2, 4])
async def test_a_file_is_read_no_faster_than_the_engine_takes_it(windows: int) -> None:
    engine, blocks = FakeEngine(), Blocks(speech(250))  # 300 s
    engine.going.clear()
    reading = asyncio.create_task(collected(blocks, engine, Config(file_windows=windows)))
    await until(engine, 2)
    # A window lasts until the first pause after 25 s.
    assert 25 * windows - 2 <= await at_rest(blocks) <= 27 * windows
    engine.going.set()
    *deltas, whole = await reading
    assert isinstance(whole, Completed)
    assert whole.text == text(250)
    assert "".join(d.text for d in deltas if isinstance(d, Delta)).strip() == whole.text
    assert blocks.read == 300
    assert engine.live == 0


async def test_a_file_that_nobody_waits_for_any_more_gives_its_streams_back() -> None:
    engine, blocks = FakeEngine(), Blocks(speech(130))
    engine.going.clear()
    reading = asyncio.create_task(collected(blocks, engine))
    await until(engine, 3)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert engine.live == 0


async def test_no_more_is_read_of_a_file_after_a_failure() -> None:
    engine, blocks = FakeEngine(), Blocks(speech(500))
    engine.kind = lambda _: LostStream
    with pytest.raises(EngineFailed):
        await collected(blocks, engine)
    assert blocks.read < 300, "of 600"
    assert engine.live == 0


async def test_a_file_that_turns_out_bad_at_its_end_fails_with_its_own_error() -> None:
    engine = FakeEngine()

    def blocks() -> Iterator[Samples]:
        yield from Blocks(speech(50))
        raise BadInput("truncated_audio_file", "It breaks off.", "file")

    with pytest.raises(BadInput) as caught:
        await collected(blocks(), engine)
    assert caught.value.code == "truncated_audio_file"
    assert engine.opened >= 2
    assert engine.live == 0


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_a_session_does_not_wait_for_the_garbage_collector(
    client: httpx.AsyncClient, stream: str
) -> None:
    with uncollected():
        assert (await post(client, stream=stream)).status_code == 200
        assert await gone(Session)
