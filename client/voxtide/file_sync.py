"""Sending a file, for the blocking shell; `voxtide.file_aio` is its twin."""

import time
from typing import Any

import httpx

from . import error_mapping, file_request
from .config import Endpoint, Timeout
from .errors import VoxtideError
from .file_request import Attempts
from .upload import AudioFile, OnProgress, Upload, opened


def transcribed(
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
        with httpx.Client(**file_request.http_options(endpoint, patience)) as http:
            while True:
                try:
                    return _sent(http, endpoint.transcriptions_url, fields, upload)
                except VoxtideError as error:
                    seconds = attempts.wait_after(error)
                time.sleep(seconds)
                upload.again()


def _sent(http: httpx.Client, url: str, fields: dict[str, Any], upload: Upload) -> str:
    with error_mapping.posting(url):
        response = http.post(url, data=fields, files=file_request.parts(upload))
    return file_request.body(response)
