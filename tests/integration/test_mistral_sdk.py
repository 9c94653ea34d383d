"""The mistralai SDK, unmodified, against `voxtide serve`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from mistralai.client import Mistral
from mistralai.client.models import AudioFormat

from tests.conftest import Clip, Server
from tests.integration.audio import Pcm, pcm16

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

FRAME = 1_280


@pytest.fixture
def sdk(server: Server) -> Iterator[Mistral]:
    with Mistral(api_key="none", server_url=f"http://{server.host}") as client:
        yield client


async def spoken(pcm: Pcm) -> AsyncIterator[bytes]:
    for start in range(0, len(pcm), FRAME):
        yield pcm[start : start + FRAME].tobytes()


async def test_a_stream_ends_with_all_of_its_words(sdk: Mistral, clips: list[Clip]) -> None:
    for clip in clips[:4]:
        events = [
            event
            async for event in sdk.audio.realtime.transcribe_stream(
                spoken(pcm16(clip.path)),
                "nano",
                AudioFormat(encoding="pcm_s16le", sample_rate=16000),
            )
        ]
        kinds = {event.type for event in events}
        assert kinds <= {
            "session.created",
            "session.updated",
            "transcription.text.delta",
            "transcription.segment",
            "transcription.done",
        }
        done = events[-1]
        assert done.type == "transcription.done"
        assert done.text == clip.text
        deltas = [event.text for event in events if event.type == "transcription.text.delta"]
        assert "".join(deltas).strip() == clip.text


@pytest.mark.parametrize(
    ("encoding", "rate"),
    [("pcm_f32le", 16_000), ("pcm_s32le", 16_000), ("pcm_f16le", 16_000), ("pcm_s16le", 48_000)],
)
async def test_encodings_and_rates(
    sdk: Mistral, clips: list[Clip], encoding: str, rate: int
) -> None:
    pcm = pcm16(clips[0].path)
    scaled = {
        "pcm_s16le": np.repeat(pcm, rate // 16_000),
        "pcm_s32le": pcm.astype("<i4") << 16,
        "pcm_f16le": (pcm / 32768).astype("<f2"),
        "pcm_f32le": (pcm / 32768).astype("<f4"),
    }[encoding]
    events = [
        event
        async for event in sdk.audio.realtime.transcribe_stream(
            spoken(scaled), "nano", AudioFormat(encoding=encoding, sample_rate=rate)
        )
    ]
    assert events[-1].text == clips[0].text


async def test_each_flush_is_answered_and_the_session_goes_on(
    sdk: Mistral, clips: list[Clip]
) -> None:
    """As LiveKit's and Pipecat's plugins use it: a flush for each turn, then the next one."""
    connection = await sdk.audio.realtime.connect("nano", language="en", context_bias=["voxtide"])
    async with connection:
        events = aiter(connection)  # the SDK closes the connection with its iterator
        for clip in clips[:3]:
            async for piece in spoken(pcm16(clip.path)):
                await connection.send_audio(piece)
            await connection.flush_audio()
            while (event := await anext(events)).type != "transcription.done":
                assert event.type != "error"
            assert (event.text, event.language) == (clip.text, "en")
        await connection.end_audio()
        assert [event.type async for event in events] == []  # the server closes it


def test_a_file(sdk: Mistral, clips: list[Clip]) -> None:
    file = {"file_name": "a.flac", "content": clips[0].path.read_bytes()}
    answer = sdk.audio.transcriptions.complete(
        model="nano", file=file, timestamp_granularities=["segment"]
    )
    assert (answer.text, answer.model) == (clips[0].text, "nano")
    assert answer.segments
    assert " ".join(segment.text for segment in answer.segments) == clips[0].text


def test_a_file_streamed(sdk: Mistral, clips: list[Clip]) -> None:
    file = {"file_name": "a.flac", "content": clips[0].path.read_bytes()}
    with sdk.audio.transcriptions.stream(model="nano", file=file) as events:
        told = [event.data for event in events]
    assert told[-1].type == "transcription.done"
    assert told[-1].text == clips[0].text
    deltas = [data.text for data in told if data.type == "transcription.text.delta"]
    assert "".join(deltas).strip() == clips[0].text


def test_a_secret_for_a_browser(sdk: Mistral) -> None:
    answer = sdk.realtime.sessions.create(
        request={"model": "nano", "purpose": "realtime", "ttl_seconds": 60}
    )
    assert answer.client_secret.value.startswith("rt_")
