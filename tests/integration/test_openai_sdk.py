"""The openai SDK, unmodified, against `voxtide serve`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.conftest import Clip, Server
from tests.integration.audio import base64_pieces, pause, pcm16
from tests.integration.live import SURE

pytestmark = pytest.mark.integration

ITEM = "conversation.item.input_audio_transcription"
TIMESTAMP = r"\d\d:\d\d:\d\d[.,]\d\d\d"


@pytest.fixture
def sdk(server: Server) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
        yield client


def test_a_file_in_json(sdk: OpenAI, clips: list[Clip]) -> None:
    result = sdk.audio.transcriptions.create(model="nano", file=clips[0].path)
    assert result.text == clips[0].text


def test_a_file_in_verbose_json(sdk: OpenAI, clips: list[Clip]) -> None:
    clip = clips[0]
    result = sdk.audio.transcriptions.create(
        model="nano",
        file=clip.path,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="en",
    )
    assert (result.text, result.language) == (clip.text, "en")
    assert result.duration == pytest.approx(len(pcm16(clip.path)) / 16_000, abs=0.001)
    assert result.words is not None
    assert [word.word for word in result.words] == clip.text.split()
    ends = [word.end for word in result.words]
    errors = [abs(end - true) for end, true in zip(ends, clip.ends, strict=True)]
    assert sum(errors) / len(errors) <= 0.06
    assert all(0 <= word.start <= word.end for word in result.words)
    assert result.segments is not None
    assert " ".join(segment.text for segment in result.segments) == clip.text


@pytest.mark.parametrize("format", ["text", "srt", "vtt"])
def test_a_file_as_text(sdk: OpenAI, clips: list[Clip], format: Any) -> None:
    result: Any = sdk.audio.transcriptions.create(
        model="nano", file=clips[0].path, response_format=format
    )
    assert isinstance(result, str)
    for word in clips[0].text.split():
        assert word in result
    assert result.startswith("WEBVTT") == (format == "vtt")
    assert (" --> " in result) == (format != "text")


def test_a_file_streamed(sdk: OpenAI, clips: list[Clip]) -> None:
    events = list(sdk.audio.transcriptions.create(model="nano", file=clips[0].path, stream=True))
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert len(deltas) > 1
    assert events[-1].type == "transcript.text.done"
    assert "".join(deltas).strip() == events[-1].text == clips[0].text


def test_logprobs_of_a_file(sdk: OpenAI, clips: list[Clip]) -> None:
    result: Any = sdk.audio.transcriptions.create(
        model="nano", file=clips[0].path, include=["logprobs"]
    )
    assert "".join(scored.token for scored in result.logprobs).strip() == clips[0].text
    assert all(scored.logprob <= 0 for scored in result.logprobs)
    # A model that hears every word right is sure of most of them.
    assert sum(scored.logprob > -0.7 for scored in result.logprobs) > len(result.logprobs) / 2


def test_logprobs_of_a_session(sdk: OpenAI, clips: list[Clip]) -> None:
    asked: Any = {"include": ["item.input_audio_transcription.logprobs"], **input_format(16_000)}
    with sdk.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.session.update(session=asked)
        for piece in base64_pieces(pcm16(clips[0].path)):
            connection.input_audio_buffer.append(audio=piece)
        connection.input_audio_buffer.commit()
        *events, final = _until_completed(connection)
    told = [s for event in events if event.type == f"{ITEM}.delta" for s in event.logprobs]
    assert [(s.token, s.logprob) for s in told] == [(s.token, s.logprob) for s in final.logprobs]
    assert "".join(scored.token for scored in told).strip() == clips[0].text


def test_errors_are_the_sdks_own(sdk: OpenAI, clips: list[Clip]) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.audio.transcriptions.create(model="whisper-1", file=clips[0].path)
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as bad:
        sdk.audio.transcriptions.create(model="nano", file=("a.wav", b"no audio at all"))
    assert (bad.value.code, bad.value.param) == ("invalid_audio_file", "file")


def input_format(rate: int) -> Any:
    return {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": rate},
                "transcription": {"model": "nano", "language": "en"},
                "turn_detection": None,
            }
        },
    }


def test_realtime(sdk: OpenAI, clips: list[Clip]) -> None:
    """Deltas come before the commit, and every commit is completed once."""
    with sdk.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        assert connection.recv().type == "session.created"
        connection.session.update(session=input_format(16_000))
        assert connection.recv().type == "session.updated"
        for clip in clips[:3]:
            for piece in base64_pieces(pcm16(clip.path)):
                connection.input_audio_buffer.append(audio=piece)
            first: Any = connection.recv()  # only now: the commit is not sent yet
            assert first.type == f"{ITEM}.delta"
            connection.input_audio_buffer.commit()
            events = [first, *_until_completed(connection)]
            deltas = [event.delta for event in events if event.type == f"{ITEM}.delta"]
            assert "".join(deltas).strip() == events[-1].transcript == clip.text
            assert {event.item_id for event in events if hasattr(event, "item_id")} == {
                first.item_id
            }
        # The next final after those is that of an empty turn: none came twice.
        connection.input_audio_buffer.commit()
        *_, last = _until_completed(connection)
        assert last.transcript == ""


def _until_completed(connection: Any) -> list[Any]:
    events = []
    while True:
        events.append(connection.recv())
        assert events[-1].type != "error", events[-1]
        if events[-1].type == f"{ITEM}.completed":
            return events


def test_realtime_in_the_documented_order(sdk: OpenAI, clips: list[Clip]) -> None:
    with sdk.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.session.update(session=input_format(16_000))
        connection.input_audio_buffer.append(audio=next(base64_pieces(pcm16(clips[0].path), 10**6)))
        connection.input_audio_buffer.commit()
        order: list[str] = []
        while f"{ITEM}.completed" not in order:
            order.append(connection.recv().type)
    milestones = [
        "session.created",
        "session.updated",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        f"{ITEM}.completed",
    ]
    assert [kind for kind in order if kind in milestones] == milestones


DETECTION = {"type": "server_vad", "silence_duration_ms": 2000}


def with_detection(rate: int) -> Any:
    """A session in which turns end by themselves."""
    session = input_format(rate)
    session["audio"]["input"]["turn_detection"] = DETECTION
    return session


async def test_realtime_with_turns_that_are_detected(server: Server, clips: list[Clip]) -> None:
    spoken = [clip for clip in clips if clip.path.stem in SURE]
    finals, kinds = [], []
    async with (
        AsyncOpenAI(base_url=server.base_url, api_key="none") as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        await connection.session.update(session=with_detection(16_000))
        for clip in spoken:
            for piece in base64_pieces(np.append(pcm16(clip.path), pause(4.0))):
                await connection.input_audio_buffer.append(audio=piece)
        async for event in connection:
            assert event.type != "error", event
            kinds.append(event.type.rpartition(".")[2])
            if event.type == f"{ITEM}.completed":
                finals.append(event.transcript)
                if len(finals) == len(spoken):
                    break
    assert finals == [clip.text for clip in spoken]
    assert kinds.count("speech_started") == kinds.count("speech_stopped") == len(spoken)
    assert kinds.count("committed") == len(spoken)


def test_a_secret_opens_a_session_that_is_set_up(
    sdk: OpenAI, server: Server, clips: list[Clip]
) -> None:
    clip = next(clip for clip in clips if clip.path.stem == SURE[0])
    secret = sdk.realtime.client_secrets.create(
        session=with_detection(16_000), expires_after={"anchor": "created_at", "seconds": 60}
    )
    with (
        OpenAI(base_url=server.base_url, api_key=secret.value) as browser,
        browser.realtime.connect(model="nano") as connection,
    ):
        created: Any = connection.recv()
        assert created.session.audio.input.turn_detection.silence_duration_ms == 2000
        for piece in base64_pieces(np.append(pcm16(clip.path), pause(4.0))):
            connection.input_audio_buffer.append(audio=piece)
        assert _until_completed(connection)[-1].transcript == clip.text


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
async def test_realtime_at_every_rate(server: Server, clips: list[Clip], rate: int) -> None:
    """A resampled recording still comes out as nearly the same words."""
    async with (
        AsyncOpenAI(base_url=server.base_url, api_key="none") as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        await connection.session.update(session=input_format(rate))
        for piece in base64_pieces(pcm16(clips[0].path, rate), rate // 10):
            await connection.input_audio_buffer.append(audio=piece)
        await connection.input_audio_buffer.commit()
        async for event in connection:
            assert event.type != "error", event
            if event.type == f"{ITEM}.completed":
                heard = set(event.transcript.split())
                break
    expected = set(clips[0].text.split())
    # At 8 kHz half of the spectrum is gone; that costs nano a word now and then.
    assert len(heard & expected) >= len(expected) * (0.5 if rate == 8_000 else 1.0)
