"""Sending a file, for the asyncio shell; `voxtide.file_sync` is its twin."""

import asyncio
from typing import Any

import httpx

from . import error_mapping, file_request
from .config import Endpoint, Timeout
from .errors import VoxtideError
from .file_request import Attempts
from .upload import AudioFile, OnProgress, Upload, opened


async def transcribed(
    file: AudioFile,
    fields: dict[str, Any],
    endpoint: Endpoint,
    patience: Timeout,
    *,
    max_retries: int,
    on_progress: OnProgress | None,
) -> str:
    """The server's answer for a file, sent again after what may pass; see `AsyncClient`."""
    with opened(file, on_progress) as upload:
        attempts = Attempts(max_retries if upload.rewindable else 0)
        async with httpx.AsyncClient(**file_request.http_options(endpoint, patience)) as http:
            while True:
                try:
                    return await _sent(http, endpoint.transcriptions_url, fields, upload)
                except VoxtideError as error:
                    seconds = attempts.wait_after(error)
                await asyncio.sleep(seconds)
                upload.again()


async def _sent(http: httpx.AsyncClient, url: str, fields: dict[str, Any], upload: Upload) -> str:
    with error_mapping.posting(url):
        response = await http.post(url, data=fields, files=file_request.parts(upload))
    return file_request.body(response)
