"""The JSON document that `voxtide batch` writes for an object."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Self

from ..config import Endpoint, Timeout
from ..events import Segment, Transcript
from . import probe_http, probe_live
from .manifest import now
from .store import Version

SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Served:
    """By whom a document was made.

    Attributes:
        model: Its name; None if the server does not tell.
        delay_ms: Of the model; None if the server does not tell.
        server: Base URL, and the versions of voxtide and vLLM there.
    """

    model: str | None
    delay_ms: int | None
    server: Mapping[str, str | None]

    @classmethod
    async def asked(cls, endpoint: Endpoint, model: str | None) -> Self:
        """Ask the server; `model` is the one that it will be asked for, if any is."""
        facts = await probe_http.ask(endpoint, Timeout())
        greeting = await probe_live.greet(endpoint, "openai", Timeout())
        server = {"url": endpoint.base_url, "voxtide": facts.voxtide, "vllm": facts.vllm}
        return cls(model or next(iter(facts.models or ()), None), greeting.delay_ms, server)


def document(address: str, of: Version, transcript: Transcript, served: Served) -> bytes:
    """The document as JSON; times are seconds from the first sample."""
    data = {
        "source": address,
        **asdict(of),
        "text": transcript.text,
        "segments": [_segment(segment) for segment in transcript.segments],
        "words": [asdict(word) for word in transcript.words],
        "duration": transcript.duration,
        "language": transcript.language or None,
        **asdict(served),
        "created": now(),
        "voxtide": version("voxtide"),
    }
    return json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n"


def version_in(data: bytes) -> Version | None:
    """The content that a document was made of; None if it is no document."""
    try:
        found: Any = json.loads(data)
    except ValueError:
        return None
    return Version.of(found) if isinstance(found, dict) and "text" in found else None


def _segment(segment: Segment) -> Mapping[str, Any]:
    return {
        "id": segment.id,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
    }
