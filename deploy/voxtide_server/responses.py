"""Answers of `POST /v1/audio/transcriptions`, in OpenAI's shapes and in Mistral's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response, StreamingResponse

from . import formats, logs, metrics
from .dialects import mistral
from .dialects.base import scores
from .errors import VoxtideError
from .events import Completed, Delta, Event

IGNORED = "voxtide-ignored"
"""The header that names the fields of a request which had no effect."""


@dataclass(frozen=True, slots=True)
class Options:
    """The fields of a request, checked.

    Attributes:
        format: one of `formats.names()`.
        stream: whether the text is wanted as it comes.
        language: a label that is given back; the model finds the language itself.
        granularities: of the times in `verbose_json`.
        logprobs: whether those of the tokens are wanted.
        mistral: whether to answer as Mistral does.
        ignored: names of the fields that have no effect.
    """

    file: UploadFile
    format: str
    stream: bool
    language: str | None
    granularities: set[str]
    logprobs: bool
    mistral: bool
    ignored: tuple[str, ...]


def failure(error: VoxtideError) -> JSONResponse:
    """The response that tells of an error."""
    headers = {logs.HEADER: logs.request_id()}  # the gate sees no answer to a handshake
    if error.traits.retryable:
        headers["Retry-After"] = str(getattr(error, "retry_s", None) or 1)
    if error.traits.status == HTTPStatus.REQUEST_TIMEOUT:
        headers["Connection"] = "close"  # what may still come is no request of its own
    return JSONResponse(_told(error), error.traits.status, headers)


def _told(error: VoxtideError) -> dict[str, object]:
    return {"error": {**error.body(), logs.FIELD: logs.request_id()}}


def _headers(options: Options) -> dict[str, str]:
    """What of the request had no effect."""
    return {IGNORED: ", ".join(options.ignored)} if options.ignored else {}


def whole(result: Completed, options: Options, model: str) -> Response:
    """The response with a whole transcript.

    Args:
        result: the transcript.
        options: of the request.
        model: the served name.
    """
    headers = _headers(options)
    if options.format in formats.TEXTS:
        media_type, write = formats.TEXTS[options.format]
        return Response(write(result), 200, headers, media_type)
    if options.mistral:
        body = mistral.done(result, model, options.language)
    else:
        write_object = formats.OBJECTS[options.format]
        body = write_object(result, options.language, options.granularities)
    return Response(orjson.dumps(body), 200, headers, formats.JSON)


def streamed(events: AsyncIterator[Event], options: Options, model: str) -> Response:
    """The response with server-sent events.

    Args:
        events: as `transcriptions.transcribe` yields them.
        options: of the request.
        model: the served name.
    """
    sent = _mistral(events, options, model) if options.mistral else _openai(events)
    return StreamingResponse(sent, 200, _headers(options), "text/event-stream")


async def _mistral(
    events: AsyncIterator[Event], options: Options, model: str
) -> AsyncIterator[bytes]:
    """Mistral's events, which have names."""
    try:
        async for event in events:
            match event:
                case Delta():
                    told = {"type": "transcription.text.delta", "text": event.text}
                case Completed():
                    result = mistral.done(event, model, options.language)
                    told = {"type": "transcription.done", **result}
                case _:
                    continue
            yield f"event: {told['type']}\n".encode() + _data(told)
    except VoxtideError as error:
        metrics.ERRORS.labels(error.code).inc()
        yield b"event: error\n" + _data(_told(error))


async def _openai(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """OpenAI's events."""
    try:
        async for event in events:
            match event:
                case Delta():
                    told = {"type": "transcript.text.delta", "delta": event.text}
                    yield _data({**told, **scores(event.logprobs)})
                case Completed():
                    yield _data(_done(event))
        yield b"data: [DONE]\n\n"
    except VoxtideError as error:
        metrics.ERRORS.labels(error.code).inc()
        yield _data(_told(error))


def _done(result: Completed) -> dict[str, object]:
    usage = {
        "type": "tokens",
        "input_tokens": result.prompt_tokens,
        "output_tokens": result.completion_tokens,
        "total_tokens": result.prompt_tokens + result.completion_tokens,
    }
    told = {"type": "transcript.text.done", "text": result.text}
    return {**told, **scores(result.logprobs), "usage": usage}


def _data(message: Mapping[str, object]) -> bytes:
    return b"data: " + orjson.dumps(message) + b"\n\n"
