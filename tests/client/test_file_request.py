"""Whole files, through both shells: `voxtide.file_request` and the answers to it."""

import asyncio
import io
import json
import os
import socket

import pytest

import voxtide
from voxtide import Segment, Transcript, Word
from voxtide.file_request import Attempts
from voxtide.retry import Backoff

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
            await shell(fake.base_url, max_retries=0).transcribe(b"")
    assert message in str(raised.value)
    assert raised.value.status == status


async def test_a_hung_up_connection_is_retryable(shell):
    async with fakes.files(lambda form: None) as fake:
        with pytest.raises(voxtide.DisconnectedError) as raised:
            await shell(fake.base_url, max_retries=0).transcribe(b"")
    assert raised.value.retryable


@pytest.mark.parametrize("body", ["no json", "[]", "{}", '{"text": "a", "words": [{}]}', "7"])
async def test_an_answer_that_is_no_transcript_is_a_protocol_error(shell, body):
    async with fakes.files(lambda form: (200, body)) as fake:
        with pytest.raises(voxtide.ProtocolError):
            await shell(fake.base_url, max_retries=0).transcribe(b"")


async def test_a_missing_file_is_an_os_error(shell, tmp_path):
    with pytest.raises(FileNotFoundError):
        await shell("http://127.0.0.1:9/v1").transcribe(tmp_path / "none.wav")


@pytest.fixture
def talk(tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(b"RIFF1234")
    return path


def failing(times, *answer):
    """Answers so many times with `answer`, then with a transcript."""
    answers = iter([answer] * times)
    return lambda form: next(answers, (200, "seven"))


AT_ONCE = {"Retry-After": "0"}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again_with_the_whole_file(shell, talk, status):
    with talk.open("rb") as content:
        for file in (talk, b"RIFF1234", content):
            async with fakes.files(failing(2, status, "", AT_ONCE)) as fake:
                assert await shell(fake.base_url).transcribe_as(file, "text") == "seven"
            assert [form.content for form in fake.forms] == [b"RIFF1234"] * 3


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 501])
async def test_what_will_not_pass_is_not_tried_again(shell, status):
    async with fakes.files(failing(1, status, "", AT_ONCE)) as fake:
        with pytest.raises(voxtide.RejectedError) as raised:
            await shell(fake.base_url).transcribe(b"")
    assert raised.value.status == status
    assert len(fake.forms) == 1


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (2, 3)])
async def test_the_last_error_is_raised_when_the_tries_are_over(shell, retries, tries):
    async with fakes.files(failing(9, 503, "full", AT_ONCE)) as fake:
        with pytest.raises(voxtide.OverloadedError, match="full") as raised:
            await shell(fake.base_url, max_retries=retries).transcribe(b"")
    assert len(fake.forms) == tries
    assert raised.value.retry_after == 0.0


async def test_a_hung_up_connection_is_tried_again(shell):
    answers = iter([None])
    async with fakes.files(lambda form: next(answers, (200, "seven"))) as fake:
        assert await shell(fake.base_url).transcribe_as(b"", "text") == "seven"


async def test_a_server_that_comes_up_meanwhile_is_found(shell):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    client = shell(f"http://127.0.0.1:{port}/v1", max_retries=8)
    asked = asyncio.ensure_future(client.transcribe_as(b"", "text"))
    await asyncio.sleep(0.1)
    async with fakes.files(lambda form: (200, "seven"), port=port):
        assert await asked == "seven"


async def test_a_file_object_that_cannot_seek_is_sent_once(shell):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    async with fakes.files(failing(1, 503, "full", AT_ONCE)) as fake:
        with pytest.raises(voxtide.OverloadedError):
            await shell(fake.base_url).transcribe(Pipe(b"sound"))
    assert [form.content for form in fake.forms] == [b"sound"]


async def test_a_client_that_gave_up_waiting_does_not_add_to_the_servers_work(shell):
    timeout = voxtide.Timeout(response=0.3)
    async with fakes.files(lambda form: fakes.STALL) as fake:
        with pytest.raises(voxtide.DeadlineError):
            await shell(fake.base_url, timeout=timeout).transcribe(b"")
        await fake.session_ended.wait()
    assert len(fake.forms) == 1


async def test_progress_is_told_of_every_try(shell):
    seen = []
    async with fakes.files(failing(1, 503, "", AT_ONCE)) as fake:
        await shell(fake.base_url).transcribe_as(b"sound", "text", on_progress=seen.append)
    whole = {"sent": 5, "total": 5}
    assert seen == [
        voxtide.Progress(**whole, waiting=False, attempt=1),
        voxtide.Progress(**whole, waiting=True, attempt=1),
        voxtide.Progress(**whole, waiting=False, attempt=2),
        voxtide.Progress(**whole, waiting=True, attempt=2),
    ]


async def test_what_progress_raises_ends_it(shell):
    def stop(progress):
        raise RuntimeError("enough")

    async with fakes.files(lambda form: (200, "")) as fake:
        with pytest.raises(RuntimeError, match="enough"):
            await shell(fake.base_url).transcribe(b"sound", on_progress=stop)
        await fake.session_ended.wait()


async def test_a_cancelled_upload_leaves_no_task_and_no_open_file(talk):
    async with fakes.files(lambda form: fakes.STALL) as fake:
        before = asyncio.all_tasks()
        asked = asyncio.ensure_future(voxtide.AsyncClient(fake.base_url).transcribe(talk))
        await fake.session_began.wait()
        assert str(talk) in open_files()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await fake.session_ended.wait()
        assert str(talk) not in open_files()
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() <= before


async def test_cancelling_between_two_tries_ends_it(talk):
    async with fakes.files(failing(1, 503, "", {"Retry-After": "50"})) as fake:
        asked = asyncio.ensure_future(voxtide.AsyncClient(fake.base_url).transcribe(talk))
        await fake.session_began.wait()
        await asyncio.sleep(0.1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    assert len(fake.forms) == 1
    assert str(talk) not in open_files()


def open_files():
    links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return {os.readlink(link) for link in links if os.path.islink(link)}


@pytest.mark.parametrize("wrong", [{"model": 7}, {"language": b"en"}])
async def test_names_that_are_no_text_are_refused_by_name(shell, wrong):
    with pytest.raises(TypeError, match=f"{next(iter(wrong))} must be a string"):
        await shell("http://127.0.0.1:9/v1").transcribe(b"", **wrong)


def test_retries_below_none_are_refused(shell):
    with pytest.raises(ValueError, match="max_retries must be 0 or more, not -1"):
        shell("http://127.0.0.1:9/v1", max_retries=-1)


def test_waits_grow_from_try_to_try_and_follow_the_server():
    attempts = Attempts(9, Backoff(first=1.0, jitter=0.0))
    full = voxtide.OverloadedError("full", status=503)
    asked = voxtide.OverloadedError("full", status=503, retry_after=30.0)
    waits = [attempts.wait_after(error) for error in (full, full, asked, full)]
    assert waits == [1.0, 2.0, 30.0, 8.0]
