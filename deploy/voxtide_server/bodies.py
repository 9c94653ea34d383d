"""Bodies of HTTP requests: what is taken of them, and how long they may take to come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.datastructures import FormData
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message

from .errors import BadInput

STEP = 1 << 16
"""Bytes of a body that have to come in the time that a client has for them."""
MOST_FILES = 4
"""Files in a form: one of them is used, and up to a megabyte of each is in memory."""
MOST_TEXT = 4 << 20
"""Characters of all other fields of a form, which are in memory. The largest are OpenAI's
`known_speaker_references`, which have no effect: four clips of 10 s."""


def in_time(request: Request, seconds: float) -> Request:
    """The same request; BadInput is raised where its body is waited for too long.

    Args:
        request: nothing of whose body has been read.
        seconds: in which each STEP of the body has to come, or what is left of it: so
            neither who sends nothing nor who sends a byte now and then is waited for.
    """
    loop = asyncio.get_running_loop()
    taken, step_ends, until = 0, STEP, loop.time() + seconds

    async def receive() -> Message:
        nonlocal taken, step_ends, until
        try:
            async with asyncio.timeout_at(until):
                message = await request.receive()
        except TimeoutError:
            text = f"Too little of the request has come in {seconds:g} seconds."
            raise BadInput("upload_stalled", text) from None
        taken += len(message.get("body", b""))
        if taken >= step_ends:
            step_ends, until = taken + STEP, loop.time() + seconds
        return message

    return Request(request.scope, receive)


async def read_form(request: Request, max_bytes: int) -> FormData:
    """The fields of a form, its files spooled to disk.

    Args:
        request: nothing of whose body has been read.
        max_bytes: the largest body that is taken.

    Raises:
        BadInput: it is no form, or larger than is taken.
        ClientDisconnect: nobody waits for an answer any more.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form: FormParser | MultiPartParser
    if kind == "multipart/form-data":
        body = _up_to(max_bytes, request, "file")
        form = _MultiPartForm(request.headers, body, max_files=MOST_FILES, max_part_size=MOST_TEXT)
    elif kind == "application/x-www-form-urlencoded":  # as SDKs send it without a file
        form = FormParser(
            request.headers, _up_to(MOST_TEXT, request, None), max_part_size=MOST_TEXT
        )
    else:
        text = "The request must be a multipart form with an uploaded file in its field 'file'."
        raise BadInput("missing_field", text, "file")
    try:
        return await form.parse()
    except MultiPartException as error:
        raise BadInput("invalid_value", f"The form cannot be read: {error.message}") from None
    except ValueError:  # of a character set that its client names
        raise BadInput("invalid_value", "The text in the form cannot be read.") from None


async def _up_to(
    max_bytes: int, request: Request, param: str | None
) -> AsyncGenerator[bytes, None]:
    taken = 0
    async for piece in request.stream():
        taken += len(piece)
        if taken > max_bytes:
            text = f"The request may have {max_bytes} bytes at the most."
            raise BadInput("upload_too_large", text, param)
        yield piece


class _MultiPartForm(MultiPartParser):
    """Starlette's parser has a limit for each field, and lets a form have a thousand."""

    _text = 0

    def on_part_end(self) -> None:
        """Take the field that has ended."""
        super().on_part_end()
        value = self.items[-1][1]
        if isinstance(value, str):
            self._text += len(value)
            if self._text > MOST_TEXT:
                raise MultiPartException("Its text fields are too large together.")
