"""The asyncio shell: `AsyncClient` and its sessions."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from . import error_mapping, file_aio, file_request, socket_options
from .audio import Audio
from .config import Endpoint, Timeout
from .errors import DeadlineError, DisconnectedError
from .events import Event, Transcript
from .file_request import Format, checked_max_retries
from .protocol import Protocol
from .upload import AudioFile, OnProgress


class AsyncClient:
    """A voxtide server, or any other server with OpenAI's transcription API.

    It holds no connection of its own, so there is nothing to close.

    Args:
        base_url: The URL ending in /v1; None takes VOXTIDE_BASE_URL, else
            http://127.0.0.1:8000/v1.
        api_key: None takes VOXTIDE_API_KEY, else no key is sent.
        timeout: How long to wait for what.
        max_retries: How often a file is sent again after an error that may pass, with growing
            waits between, or as long as the server asks for.

    Raises:
        ValueError: For a base URL that is not http:// or https://, or retries below 0.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: Timeout | None = None,
        max_retries: int = 2,
    ) -> None:
        self._endpoint = Endpoint.resolve(base_url, api_key)
        self._timeout = timeout or Timeout()
        self._max_retries = checked_max_retries(max_retries)

    async def transcribe(
        self,
        file: AudioFile,
        *,
        model: str | None = None,
        language: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Transcript:
        """Transcribe a whole file with the times of its words and segments.

        A file object is sent from where it stands, and is not sent again if it cannot seek.
        Cancelling leaves neither a task nor an open file behind.

        Args:
            file: A path, a file:// URL, the content, or a file object opened for reading bytes.
            model: Name of the model; None leaves the choice to the server.
            language: ISO 639-1 code such as "en"; None lets the model find out.
            on_progress: Called with each piece that is sent, and when all is.

        Raises:
            VoxtideError: If there is no transcript.
            OSError: If the path cannot be read.
            TypeError, ValueError: For a file or a name that is none.
        """
        text = await self.transcribe_as(
            file, "verbose_json", model=model, language=language, on_progress=on_progress
        )
        return file_request.transcript(text)

    async def transcribe_as(
        self,
        file: AudioFile,
        response_format: Format,
        *,
        model: str | None = None,
        language: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> str:
        """The answer for a file as the server wrote it: text, json, verbose_json, srt or vtt."""
        return await file_aio.transcribed(
            file,
            file_request.form(response_format, model, language),
            self._endpoint,
            self._timeout,
            max_retries=self._max_retries,
            on_progress=on_progress,
        )

    @asynccontextmanager
    async def stream(
        self, *, sample_rate: int = 16000, model: str | None = None, language: str | None = None
    ) -> AsyncIterator["AsyncSession"]:
        """Open a live session; feed it in one task and iterate over it in another.

            async with client.stream(sample_rate=16000) as session:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(speak_into(session))  # feed(), ..., finish()
                    async for event in session:
                        ...

        Leaving the context closes the connection at once, with what was still to come.

        Args:
            sample_rate: Of the audio that will be fed, in Hz, 1000 to 384000.  Audio at a rate
                other than 8000, 16000, 24000 and 48000 Hz is resampled to 16000 Hz here.
            model: Name of the model; None leaves the choice to the server.
            language: ISO 639-1 code such as "en"; None lets the model find out.

        Raises:
            VoxtideError: If the server cannot be reached or refuses the session.
            ValueError: For a sample rate out of range.
        """
        protocol = Protocol(sample_rate, model=model, language=language)
        url = self._endpoint.realtime_url
        options = socket_options.connect_options(self._endpoint, self._timeout)
        with error_mapping.connecting(url):
            socket = await connect(url, **options)
        session = AsyncSession(socket, protocol, self._timeout)
        try:
            await session._open()
            yield session
        finally:
            await session.close()


class AsyncSession:
    """A live session: feed it audio, iterate over it for events.  See `AsyncClient.stream`.

    The iteration ends after the final transcript of the last turn, once `finish()` was called.
    It raises VoxtideError when the session cannot go on: DisconnectedError, OverloadedError and
    ServerFailedError as the server closes it, DeadlineError if an owed transcript does not come.
    """

    def __init__(self, socket: ClientConnection, protocol: Protocol, timeout: Timeout) -> None:
        self._socket = socket
        self._protocol = protocol
        self._timeout = timeout
        self._events: deque[Event] = deque()
        self._last_sign_of_life = 0.0
        self._waiting: asyncio.Timeout | None = None

    async def feed(self, audio: Audio) -> None:
        """Send a chunk of mono audio of any length; 20 to 100 ms suit live speech.

        Waits when the server takes audio more slowly than it is fed (see
        `voxtide.socket_options`).  Iterate meanwhile: a server that cannot deliver its events
        may stop taking audio.

        Args:
            audio: PCM16 little-endian as bytes, or a numpy array of int16, or of floats in
                -1 to 1, of shape (samples,).

        Raises:
            VoxtideError: If the session has ended, or the server takes nothing any more.
            TypeError, ValueError: For another kind of chunk.
            RuntimeError: After `finish()`.
        """
        await self._send(self._protocol.feed(audio))

    async def flush(self) -> None:
        """End the turn: its `Final` will come.  The session stays open for the next turn."""
        texts = self._protocol.flush()
        self._expect_answer()
        await self._send(texts)

    async def finish(self) -> None:
        """End the last turn and the session: the iteration stops after the turn's `Final`."""
        texts = self._protocol.finish()
        self._expect_answer()
        await self._send(texts)

    async def close(self) -> None:
        """Close the connection at once, with code 1000.  Leaving the context does the same."""
        try:
            async with asyncio.timeout(socket_options.CLOSE_SECONDS):
                await self._socket.close()
        except TimeoutError:
            # The goodbye queues behind audio that the server does not take.
            self._socket.transport.abort()
            await self._socket.wait_closed()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._protocol.done:
                raise StopAsyncIteration
            await self._receive()
        return self._events.popleft()

    async def _open(self) -> None:
        """Send the settings and wait until the server has accepted them."""
        sock = self._socket.transport.get_extra_info("socket")
        socket_options.bound_send_buffer(sock, self._protocol.wire_bytes_per_second)
        try:
            async with asyncio.timeout(self._timeout.connect):
                await self._send([self._protocol.open()])
                while not self._protocol.ready:
                    await self._receive()
        except TimeoutError as late:
            raise DeadlineError("the server did not accept the session in time") from late

    async def _send(self, texts: Iterable[str]) -> None:
        try:
            for text in texts:
                async with asyncio.timeout(self._timeout.feed):
                    await self._socket.send(text)
                # While the network takes everything at once, sending waits for nothing, and
                # whoever reads the words in this loop would have no turn until all is sent.
                await asyncio.sleep(0)
        except ConnectionClosed as closed:
            raise self._ended(closed) from closed
        except TimeoutError as late:
            seconds = self._timeout.feed
            raise DeadlineError(f"the server took no audio for {seconds:g} s") from late

    async def _receive(self) -> None:
        """Take the next message, or return without one if `finish()` has just ended it all."""
        try:
            async with asyncio.timeout_at(self._deadline()) as self._waiting:
                message = await self._socket.recv()
        except ConnectionClosed as closed:
            raise self._ended(closed) from closed
        except TimeoutError as late:
            if self._protocol.done:
                return
            raise DeadlineError("the final transcript did not come in time") from late
        finally:
            self._waiting = None
        self._last_sign_of_life = asyncio.get_running_loop().time()
        event = self._protocol.receive(message)
        if event is not None:
            self._events.append(event)

    def _deadline(self) -> float | None:
        """When to stop waiting for the next message; None while the server owes nothing."""
        if self._protocol.done:
            return 0.0
        untranscribed = self._protocol.untranscribed
        if untranscribed is None:
            return None
        return self._last_sign_of_life + self._timeout.final + untranscribed

    def _expect_answer(self) -> None:
        """An answer is owed from now on: an iteration that waits already waits only so long."""
        self._last_sign_of_life = asyncio.get_running_loop().time()
        if self._waiting is not None:
            self._waiting.reschedule(self._deadline())

    def _ended(self, closed: ConnectionClosed) -> Exception:
        code, reason = socket_options.close_code_and_reason(closed)
        error = self._protocol.closed(code, reason)
        return error or DisconnectedError("the session has ended", close_code=code)
