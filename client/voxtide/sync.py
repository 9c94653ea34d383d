"""The blocking shell: `Client` and its sessions, the twin of `voxtide.aio`.

Its sessions are those of the asyncio shell, in an event loop in a thread of their own: what is
said there of connections, deadlines and errors holds here without being written twice.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Self

from . import file_request
from .aio import AsyncClient
from .audio import Audio, Encoding
from .config import Endpoint, Reconnect, Timeout, TurnDetection
from .dialects import Name as DialectName
from .errors import DisconnectedError
from .events import Event, Transcript
from .file_request import Format
from .portal import Portal
from .sources.feeding import Chunks
from .sources.opened import Source
from .upload import AudioFile, OnProgress

if TYPE_CHECKING:
    from .session import AsyncSession


class Client:
    """A voxtide server, or any other server with OpenAI's transcription API.

    The blocking twin of `AsyncClient`; arguments, results and errors are the same.
    """

    def __init__(
        self,
        base_url: str | Sequence[str] | None = None,
        api_key: str | None = None,
        *,
        timeout: Timeout | None = None,
        max_retries: int = 2,
    ) -> None:
        self._twin = AsyncClient(base_url, api_key, timeout=timeout, max_retries=max_retries)
        self._endpoint = Endpoint.resolve_all(base_url, api_key)[0]
        self._timeout = timeout or Timeout()
        self._max_retries = max_retries

    def transcribe(
        self,
        file: AudioFile,
        *,
        model: str | None = None,
        language: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Transcript:
        """Transcribe a whole file; see `AsyncClient.transcribe`."""
        text = self.transcribe_as(
            file, "verbose_json", model=model, language=language, on_progress=on_progress
        )
        return file_request.transcript(text)

    def transcribe_as(
        self,
        file: AudioFile,
        response_format: Format,
        *,
        model: str | None = None,
        language: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> str:
        """The answer for a file as the server wrote it: text, json, verbose_json, srt or vtt."""
        from . import file_sync  # httpx is slow to import, and sessions do without it

        return file_sync.transcribed(
            file,
            file_request.form(response_format, model, language),
            self._endpoint,
            self._timeout,
            max_retries=self._max_retries,
            on_progress=on_progress,
        )

    @contextmanager
    def stream(
        self,
        source: Chunks | Source | str | os.PathLike[str] | None = None,
        *,
        sample_rate: int = 16000,
        channels: int = 1,
        encoding: Encoding = "pcm16",
        pace: float | None = None,
        model: str | None = None,
        language: str | None = None,
        turn_detection: TurnDetection | None = None,
        dialect: DialectName = "voxtide",
        reconnect: Reconnect | None = None,
    ) -> Iterator["Session"]:
        """Open a live session; arguments and errors are those of `AsyncClient.stream`.

            with client.stream(source) as session:
                for event in session:
                    ...

        Without a source, feed the session in one thread and iterate over it in another:

            with client.stream() as session:
                speaker = threading.Thread(target=speak_into, args=[session])
                speaker.start()  # feed(), ..., finish()
                for event in session:
                    ...

        Leaving the context closes the connection at once; a thread that still feeds then gets
        DisconnectedError.
        """
        opening = self._twin.stream(
            source,
            sample_rate=sample_rate,
            channels=channels,
            encoding=encoding,
            pace=pace,
            model=model,
            language=language,
            turn_detection=turn_detection,
            dialect=dialect,
            reconnect=reconnect,
        )
        with Portal() as portal:
            session = portal.call(_entered(opening))
            try:
                yield Session(portal, session)
            finally:
                portal.call(_left(opening))


class Session:
    """A live session: feed it audio, iterate over it for events.  See `Client.stream`.

    It may be fed in one thread and iterated over in another.  What each call does and raises is
    written at `AsyncSession`, whose twin it is.
    """

    def __init__(self, portal: Portal, session: "AsyncSession") -> None:
        self._portal = portal
        self._session = session

    def feed(self, audio: Audio) -> None:
        """Send a chunk of audio of any length; see `AsyncSession.feed`."""
        self._portal.call(self._session.feed(audio))

    def flush(self) -> None:
        """End the turn: its `Final` will come.  The session stays open for the next turn."""
        self._portal.call(self._session.flush())

    def finish(self) -> None:
        """End the last turn and the session: the iteration stops after the turn's `Final`."""
        self._portal.call(self._session.finish())

    def close(self) -> None:
        """Close the connection at once, with code 1000.  Leaving the context does the same."""
        with suppress(DisconnectedError):  # the context has been left already
            self._portal.call(self._session.close())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        event = self._portal.call(_next(self._session))
        if event is None:
            raise StopIteration
        return event


async def _next(session: "AsyncSession") -> Event | None:
    """The next event, None after the last: StopAsyncIteration cannot cross threads."""
    return await anext(session, None)


async def _entered(context: "AbstractAsyncContextManager[AsyncSession]") -> "AsyncSession":
    return await context.__aenter__()


async def _left(context: "AbstractAsyncContextManager[AsyncSession]") -> None:
    await context.__aexit__(None, None, None)
