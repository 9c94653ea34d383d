"""The two shells of the library behind one interface, so that one suite tests both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import voxtide


class Session(Protocol):
    """A session, whichever shell it belongs to."""

    async def feed(self, audio: Any) -> None: ...
    async def flush(self) -> None: ...
    async def finish(self) -> None: ...
    def __aiter__(self) -> AsyncIterator[voxtide.Event]: ...


class AsyncShell:
    """`voxtide.AsyncClient` as it is."""

    def __init__(self, base_url: str, **options: Any) -> None:
        self._client = voxtide.AsyncClient(base_url, **options)

    async def transcribe(self, file: Any, **options: Any) -> voxtide.Transcript:
        return await self._client.transcribe(file, **options)

    async def transcribe_as(self, file: Any, response_format: Any, **options: Any) -> str:
        return await self._client.transcribe_as(file, response_format, **options)

    def stream(self, *source: Any, **options: Any) -> Any:
        return self._client.stream(*source, **options)


class SyncShell:
    """`voxtide.Client` with each call in a thread."""

    def __init__(self, base_url: str, **options: Any) -> None:
        self._client = voxtide.Client(base_url, **options)

    async def transcribe(self, file: Any, **options: Any) -> voxtide.Transcript:
        return await asyncio.to_thread(self._client.transcribe, file, **options)

    async def transcribe_as(self, file: Any, response_format: Any, **options: Any) -> str:
        return await asyncio.to_thread(self._client.transcribe_as, file, response_format, **options)

    @asynccontextmanager
    async def stream(self, *source: Any, **options: Any) -> AsyncIterator["_ThreadedSession"]:
        context = self._client.stream(*source, **options)
        session = await asyncio.to_thread(context.__enter__)
        try:
            yield _ThreadedSession(session)
        finally:
            await asyncio.to_thread(context.__exit__, None, None, None)


class _ThreadedSession:
    def __init__(self, session: voxtide.Session) -> None:
        self._session = session

    async def feed(self, audio: Any) -> None:
        await asyncio.to_thread(self._session.feed, audio)

    async def flush(self) -> None:
        await asyncio.to_thread(self._session.flush)

    async def finish(self) -> None:
        await asyncio.to_thread(self._session.finish)

    async def __aiter__(self) -> AsyncIterator[voxtide.Event]:
        while (event := await asyncio.to_thread(next, self._session, None)) is not None:
            yield event
