"""The asyncio shell: `AsyncClient`; its sessions are in `voxtide.session`."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from . import file_request
from .audio import AudioEncoder, Encoding
from .config import Endpoint, Reconnect, Timeout, TurnDetection
from .dialects import DIALECTS
from .dialects import Name as DialectName
from .dialects.base import Dialect, Settings
from .events import Transcript
from .file_request import Format, checked_max_retries
from .protocol import Protocol
from .sources.feeding import Chunks, feed_from
from .sources.opened import Source, from_path
from .upload import AudioFile, OnProgress

if TYPE_CHECKING:
    from .session import AsyncSession


class AsyncClient:
    """A voxtide server, or any other server with OpenAI's transcription API.

    It holds no connection of its own, so there is nothing to close.

    Args:
        base_url: The URL ending in /v1; None takes VOXTIDE_BASE_URL, else
            http://127.0.0.1:8000/v1.  With several, streams go on at the next one when a
            connection is lost; files go to the first.
        api_key: None takes VOXTIDE_API_KEY, else no key is sent.
        timeout: How long to wait for what.
        max_retries: How often a file is sent again after an error that may pass, with growing
            waits between, or as long as the server asks for.

    Raises:
        ValueError: For a base URL that is not http:// or https://, or retries below 0.
    """

    def __init__(
        self,
        base_url: str | Sequence[str] | None = None,
        api_key: str | None = None,
        *,
        timeout: Timeout | None = None,
        max_retries: int = 2,
    ) -> None:
        self._endpoints = Endpoint.resolve_all(base_url, api_key)
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
        from . import file_aio  # httpx is slow to import, and sessions do without it

        return await file_aio.transcribed(
            file,
            file_request.form(response_format, model, language),
            self._endpoints[0],
            self._timeout,
            max_retries=self._max_retries,
            on_progress=on_progress,
        )

    @asynccontextmanager
    async def stream(
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
    ) -> AsyncIterator["AsyncSession"]:
        """Open a live session.

        With a source, iterate over what is said in it:

            async with client.stream("talk.flac", pace=1.0) as session:
                async for event in session:
                    ...

        Without one, feed the session in one task and iterate over it in another:

            async with client.stream() as session:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(speak_into(session))  # feed(), ..., finish()
                    async for event in session:
                        ...

        A lost connection is replaced, at the next server if there are several, and what the old
        one had not acknowledged is heard again: the transcript is that of one connection.  That
        is exact in the dialect "voxtide"; elsewhere the turn that is open is heard again from its
        start (see `Resumed`).

        Leaving the context closes the connection at once, with what was still to come.

        Args:
            source: The path of a file or a URL (extra `audio`, or ffmpeg); what
                `voxtide.microphone()` gives; a file object that is read for raw audio (a pipe,
                ffmpeg's output); or any iterable or async iterable of chunks as
                `AsyncSession.feed` takes them.  It is fed to its end and the session finished.
            sample_rate: Of the audio, in Hz, 1000 to 384000; files say their own.  Rates that the
                server does not take are resampled here (extra `audio`).
            channels: Interleaved in chunks of bytes, 1 to 64; they are averaged.
            encoding: Of chunks of bytes: pcm16 (little-endian), mulaw or alaw (8000 Hz).
            pace: Seconds of the source for each second of time: 1.0 is as it would be spoken.
                None feeds it as fast as it comes and is taken.
            model: Name of the model; None leaves the choice to the server ("vllm" needs it).
            language: ISO 639-1 code such as "en"; None lets the model find out.
            turn_detection: Let the server end turns at pauses; None leaves it to `flush()`.
            dialect: What the server speaks: voxtide, openai (24 kHz, no times), mistral, or vllm
                (vLLM's own endpoint).
            reconnect: When to give up looking for another connection.

        Raises:
            VoxtideError: If the server cannot be reached or refuses the session.
            ValueError: For settings out of range, or that the dialect does not know.
            OSError: If the source cannot be read; later, the iteration raises it.
        """
        from .session import AsyncSession  # websockets is slow to import, and files do without it

        spoken = _dialect(dialect, encoding, model, turn_detection)
        with _chunks(source) as (chunks, own_rate):
            if own_rate is not None:
                sample_rate, channels = own_rate, 1
            encoder = AudioEncoder(sample_rate, channels, encoding, spoken.rates)
            settings = Settings(encoder.rate, encoding, model, language, turn_detection)
            query = spoken.query(model)
            servers = [(e, e.realtime_url(spoken.path, query)) for e in self._endpoints]
            protocol = Protocol(spoken, encoder, settings)
            session = AsyncSession(servers, protocol, self._timeout, reconnect or Reconnect())
            await session._open()
            feeding = None
            if chunks is not None:
                bytes_per_second = sample_rate * channels * encoder.sample_bytes
                feeding = asyncio.create_task(
                    feed_from(session, chunks, sample_rate, bytes_per_second, pace)
                )
            try:
                yield session
            finally:
                await session.close()
                if feeding is not None:
                    feeding.cancel()
                    await asyncio.gather(feeding, return_exceptions=True)


@contextmanager
def _chunks(
    source: Chunks | Source | str | os.PathLike[str] | None,
) -> Iterator[tuple[Chunks | None, int | None]]:
    """What is to be fed, and its sample rate where it has one of its own."""
    if isinstance(source, str | os.PathLike):
        with from_path(source) as opened:
            yield (piece.audio for piece in opened.pieces), opened.sample_rate
    elif isinstance(source, Source):
        yield (piece.audio for piece in source.pieces), source.sample_rate
    else:
        yield source, None


def _dialect(
    name: str, encoding: str, model: str | None, turn_detection: TurnDetection | None
) -> Dialect:
    """A dialect for one stream; raises ValueError if it cannot do what is asked for."""
    if name not in DIALECTS:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}, not {name!r}")
    dialect = DIALECTS[name]()
    if encoding != "pcm16" and encoding not in dialect.encodings:
        raise ValueError(f"the dialect {name} does not know the encoding {encoding!r}")
    if name == "vllm" and model is None:
        raise ValueError("the dialect vllm needs the name of the model")
    if name == "vllm" and turn_detection is not None:
        raise ValueError("the dialect vllm has no turn detection")
    return dialect
