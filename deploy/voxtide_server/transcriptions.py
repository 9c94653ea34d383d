"""`POST /v1/audio/transcriptions`: a file through the same session as live audio."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Message

from . import formats
from .engine import Engine, Samples
from .errors import BadInput, VoxtideError
from .events import Audio, Commit, Completed, Delta, Event, Failed
from .files import AudioFileError, decode
from .runner import Limits, Runner
from .service import check_model
from .session import Session
from .stitch import Stitch
from .windows import MIN_S, Windows

MAX_AUDIO_S = 6 * 3600.0
"""The longest file that is taken, in seconds of audio."""
MAX_UPLOAD_BYTES = 1 << 30
"""The largest request that is taken."""
WINDOWS = 16
"""Windows of a file that are transcribed side by side."""
FILE = Limits(backlog_s=WINDOWS * MIN_S, unfinished=WINDOWS, queue_s=600.0, bulk=True)

_GRANULARITIES = {"segment", "word"}


@dataclass(frozen=True, slots=True)
class Options:
    """The fields of a request, checked.

    Attributes:
        format: one of `formats.names()`.
        stream: whether the text is wanted as it comes.
        language: a label that is given back; the model finds the language itself.
        granularities: of the times in `verbose_json`.
    """

    file: UploadFile
    format: str
    stream: bool
    language: str | None
    granularities: set[str]


async def serve(request: Request, engine: Engine) -> Response:
    """Answer one request, with an OpenAI error object where it cannot be met."""
    try:
        form = await _form(request)
    except VoxtideError as error:
        return failure(error)
    try:
        options = read_options(form, engine.models)
        blocks = _decoded(options.file.file)
        first = await run_in_threadpool(next, blocks, None)
        events = transcribe(_with_first(first, blocks), engine)
        if options.stream:
            # The form's file is read while the response is sent.
            return StreamingResponse(_sse(events, form), media_type="text/event-stream")
        return await _whole(request, events, form, options)
    except VoxtideError as error:
        await form.close()
        return failure(error)


async def _form(request: Request) -> FormData:
    """The request's fields, its file spooled to disk.

    Raises:
        BadInput: it is no multipart form, or larger than is taken.
    """
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > MAX_UPLOAD_BYTES:
            text = f"An upload may have {MAX_UPLOAD_BYTES} bytes at the most."
            raise BadInput("upload_too_large", text, "file")
        return message

    try:
        return await Request(request.scope, receive).form()
    except HTTPException as error:
        raise BadInput("invalid_value", f"The form cannot be read: {error.detail}") from None


def failure(error: VoxtideError) -> JSONResponse:
    """The response that tells of an error."""
    headers = {"Retry-After": "1"} if error.traits.retryable else None
    return JSONResponse({"error": error.body()}, error.traits.status, headers)


def read_options(form: FormData, models: Sequence[str]) -> Options:
    """Check the fields of a request. Lists may be spelt `name` or `name[]`.

    Raises:
        BadInput: naming the first field that is wrong.
    """
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise BadInput("missing_field", "The field 'file' must be an uploaded file.", "file")
    check_model(form.get("model"), models, "model")
    format = str(form.get("response_format", "json"))
    if format not in formats.names():
        known = ", ".join(formats.names())
        raise BadInput("invalid_value", f"The format must be one of {known}.", "response_format")
    language = form.get("language")
    return Options(
        file=file,
        format=format,
        stream=_flag(form, "stream"),
        language=str(language) if language else None,
        granularities=_granularities(form),
    )


def _flag(form: FormData, name: str) -> bool:
    value = str(form.get(name, "false")).lower()
    if value not in ("true", "false"):
        raise BadInput("invalid_value", f"The field '{name}' must be true or false.", name)
    return value == "true"


def _granularities(form: FormData) -> set[str]:
    name = "timestamp_granularities"
    given = {str(value) for value in (*form.getlist(name), *form.getlist(f"{name}[]"))}
    if not given <= _GRANULARITIES:
        raise BadInput("invalid_value", "Granularities are 'segment' and 'word'.", name)
    return given


# ---- audio -> events ---------------------------------------------------------------


def _decoded(file: BinaryIO) -> Iterator[Samples]:
    try:
        yield from decode(file, max_seconds=MAX_AUDIO_S)
    except AudioFileError as error:
        raise BadInput(error.code, error.message, "file") from error


def _with_first(first: Samples | None, blocks: Iterator[Samples]) -> Iterator[Samples]:
    if first is not None:
        yield first
        yield from blocks


async def transcribe(blocks: Iterator[Samples], engine: Engine) -> AsyncIterator[Event]:
    """Transcribe blocks of 16 kHz audio.

    Windows of it go through the engine side by side, a turn of the session each.

    Args:
        blocks: of 1 s, the last may be shorter; read in a thread, no faster than the
            engine takes them.

    Yields:
        Delta for new text, then one Completed for the whole.

    Raises:
        VoxtideError: the audio turned out bad, or the engine failed.
    """
    events: asyncio.Queue[Event | BaseException] = asyncio.Queue()
    session = Session(f"file_{uuid.uuid4().hex[:20]}", engine.layout, engine.vocabulary)
    runner = Runner(session, engine, events.put_nowait, events.put_nowait, FILE)
    feeding = asyncio.create_task(_feed(blocks, runner))
    feeding.add_done_callback(lambda task: _report(task, events))
    stitch, turns = Stitch(), 0
    try:
        while not (feeding.done() and turns == feeding.result()):
            match await events.get():
                case BaseException() as error:
                    raise error
                case Failed(_, error):
                    raise error
                case Delta() as delta:
                    yield stitch.delta(delta)
                case Completed() as completed:
                    stitch.add(completed)
                    turns += 1
        yield stitch.whole()
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError, VoxtideError):
            await feeding
        await runner.close()


async def _feed(blocks: Iterator[Samples], runner: Runner) -> int:
    """Feed all blocks, with a commit at the end of each window; the number of those."""
    windows, turns = Windows(), 1
    while (block := await run_in_threadpool(next, blocks, None)) is not None:
        audio, ended = windows.push(block)
        runner.command(Audio(audio))
        if ended:
            runner.command(Commit())
            turns += 1
        await runner.room()
    runner.command(Audio(windows.finish()))
    runner.command(Commit())
    return turns


def _report(task: asyncio.Task[int], events: asyncio.Queue[Event | BaseException]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        events.put_nowait(error)


# ---- events -> response ------------------------------------------------------------


async def _whole(
    request: Request, events: AsyncIterator[Event], form: FormData, options: Options
) -> Response:
    """The whole transcript, unless the client goes away before it is there."""
    reading = asyncio.create_task(_last(events))
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            return Response(status_code=499)  # nobody reads it
        return _formatted(reading.result(), options)
    finally:
        for task in (reading, leaving):
            task.cancel()
        await asyncio.gather(reading, leaving, return_exceptions=True)
        await form.close()


async def _last(events: AsyncIterator[Event]) -> Completed:
    async for event in events:
        if isinstance(event, Completed):
            return event
    raise AssertionError("a transcription ends in Completed or an error")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _formatted(result: Completed, options: Options) -> Response:
    if options.format in formats.TEXTS:
        media_type, write = formats.TEXTS[options.format]
        return Response(write(result), media_type=media_type)
    write_object = formats.OBJECTS[options.format]
    body = write_object(result, options.language, options.granularities)
    return Response(orjson.dumps(body), media_type=formats.JSON)


async def _sse(events: AsyncIterator[Event], form: FormData) -> AsyncIterator[bytes]:
    """OpenAI's server-sent events."""
    try:
        async for event in events:
            match event:
                case Delta():
                    yield _data({"type": "transcript.text.delta", "delta": event.text})
                case Completed():
                    yield _data(_done(event))
        yield b"data: [DONE]\n\n"
    except VoxtideError as error:
        yield _data({"error": error.body()})
    finally:
        await form.close()


def _done(result: Completed) -> dict[str, object]:
    usage = {
        "type": "tokens",
        "input_tokens": result.prompt_tokens,
        "output_tokens": result.completion_tokens,
        "total_tokens": result.prompt_tokens + result.completion_tokens,
    }
    return {"type": "transcript.text.done", "text": result.text, "usage": usage}


def _data(message: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(message) + b"\n\n"
