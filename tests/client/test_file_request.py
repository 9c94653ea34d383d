"""Whole files, through both shells: `voxtide.file_request` and the answers to it."""

import io
import json

import pytest

import voxtide
from voxtide import Segment, Transcript, Word

from . import fakes

ANSWER = {
    "task": "transcribe",
    "language": "en",
    "duration": 1.5,
    "text": "seven eight",
    "words": [{"word": "seven", "start": 0.2, "end": 0.6}],
    "segments": [{"id": 0, "seek": 0, "start": 0.2, "end": 1.1, "text": "seven eight"}],
}


async def test_a_path_gives_a_transcript_with_times(shell, tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(b"RIFF1234")
    async with fakes.files(lambda form: (200, json.dumps(ANSWER))) as fake:
        client = shell(fake.base_url, api_key="secret")
        transcript = await client.transcribe(path, model="nano", language="en")
    assert transcript == Transcript(
        text="seven eight",
        language="en",
        duration=1.5,
        words=(Word("seven", 0.2, 0.6),),
        segments=(Segment("0", "seven eight", 0.2, 1.1),),
    )
    (form,) = fake.forms
    assert (form.path, form.authorization) == ("/v1/audio/transcriptions", "Bearer secret")
    assert (form.filename, form.content) == ("talk.wav", b"RIFF1234")
    assert form.fields == [
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
        ("model", "nano"),
        ("language", "en"),
    ]


@pytest.mark.parametrize("file", [b"sound", io.BytesIO(b"sound")], ids=["bytes", "file object"])
async def test_content_and_file_objects_are_taken_too(shell, file):
    if isinstance(file, io.BytesIO):
        file.seek(0)
    async with fakes.files(lambda form: (200, json.dumps({"text": ""}))) as fake:
        assert await shell(fake.base_url).transcribe(file) == Transcript("", "", 0.0)
    assert fake.forms[0].content == b"sound"


async def test_other_formats_come_as_the_server_wrote_them(shell):
    async with fakes.files(lambda form: (200, dict(form.fields)["response_format"])) as fake:
        client = shell(fake.base_url)
        assert [await client.transcribe_as(b"", f) for f in ("text", "srt")] == ["text", "srt"]
        with pytest.raises(ValueError, match="format must be one of"):
            await client.transcribe_as(b"", "docx")


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (400, {"message": "Too long.", "param": "file", "code": "long"}, "Rejected", "Too long."),
        (401, {"message": "Who?"}, "Authentication", "Who?"),
        (429, {"message": "Later."}, "Overloaded", "Later."),
        (500, {"message": "Sorry."}, "ServerFailed", "Sorry."),
        (503, {"message": "Full."}, "Overloaded", "Full."),
        (503, {"message": "Broken.", "code": "engine_failed"}, "ServerFailed", "Broken."),
        (504, {"message": "Slow."}, "Deadline", "Slow."),
        (404, "<h1>nothing here</h1>", "Rejected", "HTTP 404: <h1>nothing here</h1>"),
        (502, "", "ServerFailed", "HTTP 502"),
    ],
)
async def test_refusals_become_errors_with_the_servers_words(shell, status, body, error, message):
    text = body if isinstance(body, str) else json.dumps({"error": body})
    async with fakes.files(lambda form: (status, text)) as fake:
        with pytest.raises(getattr(voxtide, f"{error}Error")) as raised:
            await shell(fake.base_url).transcribe(b"")
    assert message in str(raised.value)
    assert raised.value.status == status


async def test_a_hung_up_connection_is_retryable(shell):
    async with fakes.files(lambda form: None) as fake:
        with pytest.raises(voxtide.DisconnectedError) as raised:
            await shell(fake.base_url).transcribe(b"")
    assert raised.value.retryable


@pytest.mark.parametrize("body", ["no json", "[]", "{}", '{"text": "a", "words": [{}]}', "7"])
async def test_an_answer_that_is_no_transcript_is_a_protocol_error(shell, body):
    async with fakes.files(lambda form: (200, body)) as fake:
        with pytest.raises(voxtide.ProtocolError):
            await shell(fake.base_url).transcribe(b"")


async def test_a_missing_file_is_an_os_error(shell, tmp_path):
    with pytest.raises(FileNotFoundError):
        await shell("http://127.0.0.1:9/v1").transcribe(tmp_path / "none.wav")
