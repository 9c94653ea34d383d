"""The blocking shell: `Client` and its sessions, the twin of `voxtide.aio`."""

import socket as sockets
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from . import error_mapping, file_request, file_sync, socket_options
from .audio import Audio
from .config import Endpoint, Timeout
from .errors import DeadlineError, DisconnectedError, VoxtideError
from .events import Event, Transcript
from .file_request import Format, checked_max_retries
from .protocol import Protocol
from .upload import AudioFile, OnProgress

# How often a waiting iteration looks up whether another thread has called finish().
_TICK_SECONDS = 0.1


class Client:
    """A voxtide server, or any other server with OpenAI's transcription API.

    The blocking twin of `AsyncClient`; arguments, results and errors are the same.
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
        self, *, sample_rate: int = 16000, model: str | None = None, language: str | None = None
    ) -> Iterator["Session"]:
        """Open a live session; feed it in one thread and iterate over it in another.

            with client.stream(sample_rate=16000) as session:
                speaker = threading.Thread(target=speak_into, args=[session])
                speaker.start()  # feed(), ..., finish()
                for event in session:
                    ...

        Leaving the context closes the connection at once; a thread that still feeds then gets
        DisconnectedError.  Arguments and errors are those of `AsyncClient.stream`.
        """
        protocol = Protocol(sample_rate, model=model, language=language)
        url = self._endpoint.realtime_url
        options = socket_options.connect_options(self._endpoint, self._timeout)
        with error_mapping.connecting(url):
            socket = connect(url, **options)
        session = Session(socket, protocol, self._timeout)
        try:
            session._open()
            yield session
        finally:
            session.close()


class Session:
    """A live session: feed it audio, iterate over it for events.  See `Client.stream`.

    `feed()`, `flush()` and `finish()` belong to one thread and the iteration to one thread, which
    may be another.  Iteration and errors are those of `AsyncSession`.
    """

    def __init__(self, socket: ClientConnection, protocol: Protocol, timeout: Timeout) -> None:
        self._socket = socket
        self._protocol = protocol
        self._timeout = timeout
        self._events: deque[Event] = deque()
        self._last_sign_of_life = 0.0
        # The state machine is stepped from both threads, but never while one of them waits.
        self._step = threading.Lock()
        self._sending = threading.Lock()

    def feed(self, audio: Audio) -> None:
        """Send a chunk of mono audio of any length; see `AsyncSession.feed`."""
        with self._step:
            texts = self._protocol.feed(audio)
        self._send(texts)

    def flush(self) -> None:
        """End the turn: its `Final` will come.  The session stays open for the next turn."""
        with self._step:
            texts = self._protocol.flush()
            self._last_sign_of_life = time.monotonic()
        self._send(texts)

    def finish(self) -> None:
        """End the last turn and the session: the iteration stops after the turn's `Final`."""
        with self._step:
            texts = self._protocol.finish()
            self._last_sign_of_life = time.monotonic()
        self._send(texts)

    def close(self) -> None:
        """Close the connection at once, with code 1000.  Leaving the context does the same.

        A `feed()` that waits for the server in another thread is cut off.
        """
        if self._sending.acquire(timeout=0.1):
            self._sending.release()
        else:
            # The waiting thread holds a lock of websockets, so a polite close would wait as well.
            self._socket.socket.shutdown(sockets.SHUT_RDWR)
        self._socket.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while not self._events:
            if self._protocol.done:
                raise StopIteration
            self._receive()
        return self._events.popleft()

    def _open(self) -> None:
        """Send the settings and wait until the server has accepted them."""
        sock = self._socket.socket
        socket_options.bound_send_buffer(sock, self._protocol.wire_bytes_per_second)
        socket_options.bound_send_time(sock, self._timeout.feed)
        deadline = time.monotonic() + self._timeout.connect
        self._send([self._protocol.open()])
        while not self._protocol.ready:
            if time.monotonic() > deadline:
                raise DeadlineError("the server did not accept the session in time")
            self._receive()

    def _send(self, texts: Iterable[str]) -> None:
        with self._sending:
            try:
                for text in texts:
                    self._socket.send(text)
            except ConnectionClosed as closed:
                raise self._ended(closed) from closed

    def _receive(self) -> None:
        """Take the next message, or return without one so that the caller looks up and waits on."""
        try:
            message = self._socket.recv(timeout=_TICK_SECONDS)
        except TimeoutError as late:
            if self._is_late():
                raise DeadlineError("the final transcript did not come in time") from late
            return
        except ConnectionClosed as closed:
            raise self._ended(closed) from closed
        with self._step:
            self._last_sign_of_life = time.monotonic()
            event = self._protocol.receive(message)
        if event is not None:
            self._events.append(event)

    def _is_late(self) -> bool:
        with self._step:
            untranscribed = self._protocol.untranscribed
            silence = time.monotonic() - self._last_sign_of_life
        return untranscribed is not None and silence > self._timeout.final + untranscribed

    def _ended(self, closed: ConnectionClosed) -> VoxtideError:
        if isinstance(closed.__cause__, BlockingIOError):
            # SO_SNDTIMEO has run out: see `socket_options.bound_send_time`.
            return DeadlineError(f"the server took no audio for {self._timeout.feed:g} s")
        code, reason = socket_options.close_code_and_reason(closed)
        with self._step:
            error = self._protocol.closed(code, reason)
        return error or DisconnectedError("the session has ended", close_code=code)
