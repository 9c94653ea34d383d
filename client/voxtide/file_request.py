"""The request that posts a file, and how its answer is read.  No I/O."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, get_args

import httpx

from . import error_mapping, wire
from .events import Transcript

AudioFile: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
Format: TypeAlias = Literal["text", "json", "verbose_json", "srt", "vtt"]
FORMATS: tuple[Format, ...] = get_args(Format)


def form(response_format: Format, model: str | None, language: str | None) -> dict[str, Any]:
    """The form fields beside the file.  Raises ValueError for a format that is not in FORMATS."""
    if response_format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {response_format!r}")
    fields: dict[str, Any] = {"response_format": response_format}
    if response_format == "verbose_json":
        fields["timestamp_granularities[]"] = ["word", "segment"]
    named = {"model": model, "language": language}
    return fields | {name: value for name, value in named.items() if value is not None}


@contextmanager
def opened(file: AudioFile) -> Iterator[tuple[str, IO[bytes] | bytes]]:
    """A file's name and content for the upload; a path is opened here and closed afterwards.

    Raises OSError for a path that cannot be read.
    """
    if isinstance(file, bytes):
        yield "audio", file
    elif isinstance(file, str | os.PathLike):
        path = Path(file)
        with path.open("rb") as content:
            yield path.name, content
    else:
        yield Path(str(getattr(file, "name", "audio"))).name, file


def body(response: httpx.Response) -> str:
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


def _transcript(data: wire.Data) -> Transcript:
    return Transcript(
        text=str(data["text"]),
        language=str(data.get("language") or ""),
        duration=float(data.get("duration") or 0.0),
        words=wire.words_in(data),
        segments=tuple(wire.segment_in(item) for item in data.get("segments") or ()),
    )
