"""Client library of voxtide: live speech in, words out.

    import voxtide

    transcript = voxtide.Client().transcribe("talk.flac")

    async with voxtide.AsyncClient().stream(sample_rate=16000) as session:
        ...

`voxtide.AsyncClient` and its blocking twin `voxtide.Client` speak to a voxtide server or to any
other server with OpenAI's transcription API.
"""

from importlib.metadata import version

from .aio import AsyncClient, AsyncSession
from .config import Timeout
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
    Segment,
    ServerError,
    SessionReady,
    Transcript,
    Unknown,
    Word,
)
from .sync import Client, Session
from .upload import Progress

__version__ = version("voxtide")

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
    "RejectedError",
    "Segment",
    "ServerError",
    "ServerFailedError",
    "Session",
    "SessionReady",
    "Timeout",
    "Transcript",
    "Unknown",
    "UnreachableError",
    "VoxtideError",
    "Word",
    "__version__",
]
