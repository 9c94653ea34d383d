"""`POST /v1/audio/transcriptions`: a file through the same session as live audio.

OpenAI and Mistral have the same path. A request is answered as Mistral does where it
comes from Mistral's SDK, or has a field that only Mistral's API has (`_MISTRAL`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from . import formats, logs, metrics
from .bodies import in_time, read_form
from .config import Config
from .deployment import Deployment
from .dialects.base import LONGEST_TEXT
from .engine import Engine, Samples
from .errors import BadInput, Refused, VoxtideError
from .events import Audio, Commit, Completed, Delta, Event, Failed, Score
from .files import AudioFileError, decode
from .gate import CALLER
from .keys import ANYBODY, Caller
from .responses import Options, failure, streamed, whole
from .runner import Limits, Runner
from .service import check_model
from .session import Session
from .stitch import Stitch
from .watch import Progress
from .windows import MIN_S, Windows

QUEUE_S = 600.0
"""Seconds that a window may wait for its place in the engine: live sessions come first."""

_GRANULARITIES = {"segment", "word"}
_USED = {
    "file",
    "model",
    "response_format",
    "stream",
    "language",
    "timestamp_granularities",
    "include",
}
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What some character sets bring in, and no answer can hold."""
_MISTRAL = {"diarize", "context_bias", "file_url", "file_id"}


async def serve(request: Request, deployment: Deployment) -> Response:
    """Answer one request, with an OpenAI error object where it cannot be met."""
    engine, config = deployment.engine, deployment.config
    caller: Caller = request.scope.get(CALLER) or Caller(ANYBODY)
    async with AsyncExitStack() as stack:
        try:
            deployment.check_open()
            stack.enter_context(deployment.requests.admitted(caller.name))
            stack.enter_context(metrics.REQUESTS.track_inprogress())
            upload = in_time(request, config.upload_idle_seconds)
            form = await read_form(upload, config.max_upload_bytes)
            stack.push_async_callback(form.close)
            agent = request.headers.get("user-agent", "")
            options = read_options(form, engine.models, agent.startswith("mistral-client"))
            blocks = _decoded(options.file.file, config.max_file_seconds)
            first = await run_in_threadpool(next, blocks, None)
            progress = Progress("file", caller.name, engine.layout)
            blocks = _with_first(first, blocks)
            transcribed = transcribe(blocks, engine, config, progress, options.logprobs)
            events = await stack.enter_async_context(aclosing(transcribed))
            if options.stream:
                return _Held(streamed(events, options, engine.models[0]), stack.pop_all())
            return await _whole(request, events, options, engine.models[0])
        except VoxtideError as error:
            count = metrics.REFUSED if isinstance(error, Refused) else metrics.ERRORS
            count.labels(error.code).inc()
            return failure(error)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
    raise AssertionError("every way through has returned")


class _Held(Response):
    """A response that holds on to what it needs until it has been sent.

    Args:
        response: to be sent.
        stack: closed after it.
    """

    def __init__(self, response: Response, stack: AsyncExitStack) -> None:
        super().__init__()
        self._response = response
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        async with self._stack:
            await self._response(scope, receive, send)


def read_options(form: FormData, models: Sequence[str], from_mistral: bool) -> Options:
    """Check the fields of a request. Lists may be spelt `name` or `name[]`.

    Args:
        form: the fields.
        models: the names that are served.
        from_mistral: whether the request comes from Mistral's SDK.

    Raises:
        BadInput: naming the first field that is wrong.
    """
    file = form.get("file")
    for name in ("file_url", "file_id"):
        if form.get(name):
            raise BadInput("unsupported_value", "Only uploaded files are transcribed.", name)
    if not isinstance(file, UploadFile):
        raise BadInput("missing_field", "The field 'file' must be an uploaded file.", "file")
    check_model(form.get("model"), models, "model")
    format = str(form.get("response_format", "json"))
    if format not in formats.names():
        known = ", ".join(formats.names())
        raise BadInput("invalid_value", f"The format must be one of {known}.", "response_format")
    mistral = from_mistral or not _MISTRAL.isdisjoint(form)
    # These shapes have no place for them.
    asked, unscored = _logprobs(form), mistral or format in formats.TEXTS
    return Options(
        file=file,
        format=format,
        stream=_flag(form, "stream"),
        language=_language(form),
        granularities=_granularities(form),
        logprobs=asked and not unscored,
        mistral=mistral,
        ignored=(*_ignored(form), *(("include",) if asked and unscored else ())),
    )


def _ignored(form: FormData) -> tuple[str, ...]:
    """Names of the fields that are set and have no effect, as far as a header can hold them."""
    given = {name for name, value in form.multi_items() if value and value != "false"}
    unused = sorted(name for name in given if name.removesuffix("[]") not in _USED)
    return tuple(name for name in unused if re.fullmatch(r"[\w\[\]]{1,64}", name, re.ASCII))[:20]


def _language(form: FormData) -> str | None:
    value = form.get("language") or None
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or _SURROGATE.search(value):
        text = f"The field 'language' must be text of at most {LONGEST_TEXT} characters."
        raise BadInput("invalid_value", text, "language")
    return value


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


def _logprobs(form: FormData) -> bool:
    given = {str(value) for value in (*form.getlist("include"), *form.getlist("include[]"))}
    if not given <= {"logprobs"}:
        raise BadInput("invalid_value", "Only 'logprobs' can be included.", "include")
    return bool(given)


# ---- audio -> events ---------------------------------------------------------------


def _decoded(file: BinaryIO, max_seconds: float) -> Iterator[Samples]:
    try:
        yield from decode(file, max_seconds=max_seconds)
    except AudioFileError as error:
        raise BadInput(error.code, error.message, "file") from error


def _with_first(first: Samples | None, blocks: Iterator[Samples]) -> Iterator[Samples]:
    if first is not None:
        yield first
        yield from blocks


async def transcribe(
    blocks: Iterator[Samples],
    engine: Engine,
    config: Config,
    progress: Progress,
    logprobs: bool = False,
) -> AsyncGenerator[Event]:
    """Transcribe blocks of 16 kHz audio.

    Windows of it go through the engine side by side, a turn of the session each.

    Args:
        blocks: of 1 s, the last may be shorter; read in a thread, no faster than the
            engine takes them.
        engine: that transcribes them.
        config: the operator's settings.
        progress: is shown how it gets on.
        logprobs: whether those of the tokens are wanted.

    Yields:
        Delta for new text, then one Completed for the whole.

    Raises:
        VoxtideError: the audio turned out bad, or the engine failed.
    """
    events: asyncio.Queue[Event | BaseException] = asyncio.Queue()
    session = Session(logs.request_id(), engine.layout, engine.vocabulary)
    runner = Runner(
        session, engine, events.put_nowait, events.put_nowait, _limits(config), progress
    )
    runner.command(Score(logprobs))
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


def _limits(config: Config) -> Limits:
    return Limits(
        backlog_s=config.file_windows * MIN_S,
        unfinished=config.file_windows,
        queue_s=QUEUE_S,
        stall_s=config.stall_seconds,
        idle_s=config.idle_seconds,
        bulk=True,
    )


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
    request: Request, events: AsyncIterator[Event], options: Options, model: str
) -> Response:
    """The whole transcript, unless the client goes away before it is there."""
    reading = asyncio.create_task(_last(events))
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            return Response(status_code=499)  # nobody reads it
        return whole(reading.result(), options, model)
    finally:
        for task in (reading, leaving):
            task.cancel()
        await asyncio.gather(reading, leaving, return_exceptions=True)


async def _last(events: AsyncIterator[Event]) -> Completed:
    async for event in events:
        if isinstance(event, Completed):
            return event
    raise AssertionError("a transcription ends in Completed or an error")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
