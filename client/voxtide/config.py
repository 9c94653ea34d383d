"""Where the server is and how long to wait for it."""

import ipaddress
import os
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

DEFAULT_BASE_URL = "http://127.0.0.1:8000/v1"


@dataclass(frozen=True, slots=True)
class Timeout:
    """How long to wait, in seconds.

    Attributes:
        connect: For the connection, and for the server to accept a session's settings.
        response: For the answer to an uploaded file.
        feed: For the server to take a chunk once the buffers are full.
        final: For a sign of life while the transcript of a committed turn is owed.  The audio that
            is still to be transcribed comes on top, second for second, so that a long recording
            fed faster than real time is not given up.
    """

    connect: float = 10.0
    response: float = 600.0
    feed: float = 30.0
    final: float = 30.0

    def __post_init__(self) -> None:
        for name in ("connect", "response", "feed", "final"):
            if not getattr(self, name) > 0:
                raise ValueError(f"timeout {name} must be more than 0 seconds")


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

    @property
    def transcriptions_url(self) -> str:
        """Where files are posted."""
        return f"{self.base_url}/audio/transcriptions"

    @property
    def realtime_url(self) -> str:
        """Where sessions are opened: http becomes ws and https becomes wss."""
        return f"ws{self.base_url.removeprefix('http')}/realtime?intent=transcription"

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
