"""The request that posts a file, when it is sent again, and how its answer is read.  No I/O."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from . import error_mapping
from .config import Endpoint, Timeout
from .dialects.base import Data, words_in
from .dialects.openai import segment_in
from .errors import DeadlineError, VoxtideError
from .events import Transcript
from .retry import Backoff
from .upload import Upload

if TYPE_CHECKING:
    import httpx

Format: TypeAlias = Literal["text", "json", "verbose_json", "srt", "vtt"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass
class Attempts:
    """How often one file is sent, and how long to wait between.

    Attributes:
        max_retries: How often it may be sent again.
        backoff: How long to wait before.
    """

    max_retries: int
    backoff: Backoff = field(default_factory=Backoff)
    _failed: int = 0

    def wait_after(self, error: VoxtideError) -> float:
        """Seconds to wait before the file is sent again; raises `error` if it is not to be."""
        if self._failed >= self.max_retries or not _may_pass(error):
            raise error
        self._failed += 1
        return self.backoff.delay(self._failed - 1, error.retry_after)


def checked_max_retries(number: int) -> int:
    """The number of retries, if it is one.  Raises ValueError else."""
    if number < 0:
        raise ValueError(f"max_retries must be 0 or more, not {number}")
    return number


def _may_pass(error: VoxtideError) -> bool:
    """Whether to send a file again.  Who gave up waiting must not: the server is still at it."""
    gave_up = isinstance(error, DeadlineError) and error.status is None
    return error.retryable and not gave_up


def form(response_format: Format, model: str | None, language: str | None) -> dict[str, Any]:
    """The form fields beside the file.

    Raises ValueError for a format that is not in FORMATS, TypeError for a name that is no text.
    """
    if response_format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {response_format!r}")
    fields: dict[str, Any] = {"response_format": response_format}
    if response_format == "verbose_json":
        fields["timestamp_granularities[]"] = ["word", "segment"]
    named = {"model": model, "language": language}
    return fields | {name: _text(name, value) for name, value in named.items() if value is not None}


def parts(upload: Upload) -> dict[str, Any]:
    """The form's file, as httpx takes it."""
    return {"file": (upload.name, upload)}


def http_options(endpoint: Endpoint, timeout: Timeout) -> Mapping[str, Any]:
    """Keyword arguments for httpx's asyncio and sync clients alike."""
    import httpx  # slow to import, and sessions do without it

    return {
        "headers": endpoint.headers,
        "timeout": httpx.Timeout(timeout.response, connect=timeout.connect),
        "trust_env": not endpoint.is_loopback,
    }


def body(response: "httpx.Response") -> str:
    """The text of an answer.  Raises VoxtideError if it is not a success."""
    if not response.is_success:
        url = str(response.request.url)
        raise error_mapping.from_http(response.status_code, response.content, url, response.headers)
    return response.text


def transcript(text: str) -> Transcript:
    """Read a verbose_json answer.  Raises ProtocolError if it is none."""
    try:
        return _transcript(json.loads(text))
    except (KeyError, TypeError, ValueError) as broken:
        why = f"{type(broken).__name__} {broken}"
        raise error_mapping.unreadable("a transcript", why) from broken


def _transcript(data: Data) -> Transcript:
    return Transcript(
        text=str(data["text"]),
        language=str(data.get("language") or ""),
        duration=float(data.get("duration") or 0.0),
        words=words_in(data),
        segments=tuple(segment_in(item) for item in data.get("segments") or ()),
    )


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {type(value).__name__}")
    return value
