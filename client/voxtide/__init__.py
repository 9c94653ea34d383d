"""Client library of voxtide: live speech in, words out.

    import voxtide

    transcript = voxtide.Client().transcribe("talk.flac")

    async with voxtide.AsyncClient().stream(sample_rate=16000) as session:
        ...

`voxtide.AsyncClient` and its blocking twin `voxtide.Client` speak to a voxtide server or to any
other server with OpenAI's transcription API.
"""

from typing import TYPE_CHECKING, Any

from .aio import AsyncClient
from .config import Reconnect, Timeout, TurnDetection
from .errors import (
    AuthenticationError,
    DeadlineError,
    DisconnectedError,
    OverloadedError,
    ProtocolError,
    RejectedError,
    ServerFailedError,
    UnreachableError,
    VoxtideError,
)
from .events import (
    Event,
    Final,
    Partial,
    Resumed,
    Segment,
    ServerError,
    SessionReady,
    Transcript,
    TurnEnded,
    TurnStarted,
    Unknown,
    Word,
)
from .sources.error import SourceError
from .sources.microphone import microphone
from .sync import Client, Session
from .upload import Progress

if TYPE_CHECKING:
    from .session import AsyncSession

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncSession",
    "AuthenticationError",
    "Client",
    "DeadlineError",
    "DisconnectedError",
    "Event",
    "Final",
    "OverloadedError",
    "Partial",
    "Progress",
    "ProtocolError",
    "Reconnect",
    "RejectedError",
    "Resumed",
    "Segment",
    "ServerError",
    "ServerFailedError",
    "Session",
    "SessionReady",
    "SourceError",
    "Timeout",
    "Transcript",
    "TurnDetection",
    "TurnEnded",
    "TurnStarted",
    "Unknown",
    "UnreachableError",
    "VoxtideError",
    "Word",
    "__version__",
    "microphone",
]


def __getattr__(name: str) -> Any:
    """`AsyncSession`, once it is asked for: websockets is slow to import."""
    if name != "AsyncSession":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .session import AsyncSession

    return AsyncSession
