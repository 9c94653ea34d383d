"""Where the server is and how long to wait for it."""

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import urlencode, urlsplit

from .retry import Backoff

DEFAULT_BASE_URL = "http://127.0.0.1:8000/v1"


@dataclass(frozen=True, slots=True)
class Timeout:
    """How long to wait, in seconds.

    Attributes:
        connect: For the connection, and for the server to accept a session's settings.
        response: For the answer to an uploaded file.
        feed: For the server to take a chunk once the buffers are full.
        silence: For anything at all from a voxtide server that is being given audio: then the
            connection counts as lost.  (Others may have nothing to say.)
        final: For a sign of life while the transcript of a committed turn is owed.  The audio that
            is still to be transcribed comes on top, second for second, so that a long recording
            fed faster than real time is not given up.
    """

    connect: float = 10.0
    response: float = 600.0
    feed: float = 30.0
    silence: float = 20.0
    final: float = 30.0

    def __post_init__(self) -> None:
        for name in ("connect", "response", "feed", "silence", "final"):
            if not getattr(self, name) > 0:
                raise ValueError(f"timeout {name} must be more than 0 seconds")


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Whether and for how long a stream that has lost its connection looks for another one.

    It tries again after every error that is `retryable`: close codes 1001, 1006, 1011, 1012 and
    1013 among others, a refused or unanswered connection, HTTP 429 and 5xx with their Retry-After.
    With several servers it takes the next one each time.

    Attributes:
        seconds: Since the last progress (a word, a final transcript, an acknowledgement).  0 never
            tries.
        backoff: How long to wait between two tries.
    """

    seconds: float = 60.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first=0.25, longest=5.0))

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            raise ValueError("reconnect seconds must be 0 or more")


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """Let the server end turns at pauses.

    Attributes:
        silence: Seconds of silence that end a turn, 0.1 to 10.
        threshold: How much louder than the noise speech must be, 0 to 1.
        prefix: Seconds before the first sound that belong to the turn, 0 to 5.
        eagerness: "low", "medium", "high" or "auto": ends turns where a sentence ends instead,
            after 2, 1, 0.5 and 1 s of silence, half of it after a full stop.  (Not on Mistral's
            servers.)
    """

    silence: float = 0.5
    threshold: float = 0.5
    prefix: float = 0.3
    eagerness: Literal["low", "medium", "high", "auto"] | None = None

    def __post_init__(self) -> None:
        for name, least, most in (("silence", 0.1, 10), ("threshold", 0, 1), ("prefix", 0, 5)):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"turn detection {name} must be from {least} to {most}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server: the base URL that the OpenAI SDK takes as well, ending in /v1, and the key."""

    base_url: str
    api_key: str | None

    @classmethod
    def resolve(cls, base_url: str | None, api_key: str | None) -> Self:
        """Fill what is None from VOXTIDE_BASE_URL and VOXTIDE_API_KEY, then from the defaults.

        Raises ValueError for a URL that is not http:// or https:// with a host.
        """
        url = base_url or os.environ.get("VOXTIDE_BASE_URL") or DEFAULT_BASE_URL
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"base_url must look like {DEFAULT_BASE_URL}, not {url!r}")
        return cls(url.rstrip("/"), api_key or os.environ.get("VOXTIDE_API_KEY") or None)

    @classmethod
    def resolve_all(
        cls, base_urls: str | Sequence[str] | None, api_key: str | None
    ) -> tuple[Self, ...]:
        """The same for one URL or for several, of which there must be at least one."""
        if isinstance(base_urls, str) or base_urls is None:
            return (cls.resolve(base_urls, api_key),)
        if not base_urls:
            raise ValueError("base_url must be a URL, or a list of at least one")
        return tuple(cls.resolve(url, api_key) for url in base_urls)

    @property
    def transcriptions_url(self) -> str:
        """Where files are posted."""
        return f"{self.base_url}/audio/transcriptions"

    def realtime_url(self, path: str, query: Mapping[str, str]) -> str:
        """Where sessions are opened, below the base URL: http becomes ws and https wss."""
        question = f"?{urlencode(query)}" if query else ""
        return f"ws{self.base_url.removeprefix('http')}{path}{question}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, where a proxy from the environment is no help."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"
