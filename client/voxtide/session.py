"""A live session: `Protocol` decides, this moves its texts over one WebSocket after another.

No task of its own runs: whoever feeds sends, whoever iterates receives, and whichever of them
notices that the connection is lost opens the next one while the other waits for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from . import error_mapping, socket_options
from .audio import Audio
from .config import Endpoint, Reconnect, Timeout
from .errors import DeadlineError, DisconnectedError, VoxtideError
from .events import Event
from .protocol import Protocol

_LOST = 1006
_AT_ONCE_S = 0.01


class AsyncSession:
    """A live session: feed it audio, iterate over it for events.  See `AsyncClient.stream`.

    The iteration ends after the final transcript of the last turn, once `finish()` was called.
    It raises VoxtideError when the session cannot go on: what the server closed it with, where
    that is not retryable or no other connection was to be had in time, and DeadlineError if an
    owed transcript does not come.
    """

    def __init__(
        self,
        servers: Sequence[tuple[Endpoint, str]],
        protocol: Protocol,
        timeout: Timeout,
        reconnect: Reconnect,
    ) -> None:
        self._servers = servers
        self._server = 0
        self._protocol = protocol
        self._timeout = timeout
        self._reconnect = reconnect
        self._events: deque[Event] = deque()
        self._read = asyncio.Event()
        self._sending, self._receiving = asyncio.Lock(), asyncio.Lock()
        self._connecting = asyncio.Lock()
        self._closed = asyncio.Event()
        self._failure: Exception | None = None
        # When the connection was opened, and lost without any progress since; how often since.
        self._opened = self._lost_since = 0.0
        self._attempt = 0
        self._progress = -1
        self._last_sign_of_life = 0.0
        self._unheard_since: float | None = None
        self._sent = 0.0
        # Who waits for the next message, and until when at the most.
        self._waiting: asyncio.Timeout | None = None
        self._limit = inf

    async def feed(self, audio: Audio) -> None:
        """Send a chunk of audio of any length; 20 to 100 ms suit live speech.

        Waits when the server takes audio more slowly than it is fed (see
        `voxtide.socket_options`), or has not acknowledged two minutes of it.  Iterate meanwhile:
        a server that cannot deliver its events may stop taking audio.  While the connection is
        lost it takes up to two minutes of audio without waiting.

        Args:
            audio: Bytes in the session's encoding, or a numpy array of int16, or of floats in -1
                to 1, of shape (samples,) or (samples, channels).

        Raises:
            VoxtideError: If the session has ended, or the server takes nothing any more.
            TypeError, ValueError: For another kind of chunk.
            RuntimeError: After `finish()`.
        """
        self._check()
        self._protocol.feed(audio)
        await self._send()
        while self._protocol.full:
            await self._read_by_now()
            await self._receive(lambda: not self._protocol.full, self._timeout.feed)

    async def flush(self) -> None:
        """End the turn: its `Final` will come.  The session stays open for the next turn."""
        self._check()
        self._protocol.flush()
        self._expect_answer()
        await self._send()

    async def finish(self) -> None:
        """End the last turn and the session: the iteration stops after the turn's `Final`."""
        self._check()
        self._protocol.finish()
        self._expect_answer()
        await self._send()

    async def close(self) -> None:
        """Close the connection at once, with code 1000.  Leaving the context does the same."""
        self._closed.set()
        await _close(self._socket)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._protocol.done:
                raise StopAsyncIteration
            self._check()
            await self._receive(lambda: bool(self._events) or self._protocol.done)
        self._read.set()
        return self._events.popleft()

    def _fail(self, error: Exception) -> None:
        """Everything that waits, or comes later, raises this."""
        self._failure = self._failure or error
        self._closed.set()
        self._socket.transport.abort()

    # ---- connections -----------------------------------------------------------------

    async def _open(self) -> None:
        """Connect, and wait until the server has accepted the settings."""
        endpoint, url = self._servers[self._server % len(self._servers)]
        self._server += 1
        options = socket_options.connect_options(endpoint, self._timeout)
        with error_mapping.connecting(url):
            socket = await connect(url, **options)
        try:
            await self._introduce(socket)
            self._check()  # it may have been closed meanwhile
        except BaseException:
            await _close(socket)
            raise
        self._socket = socket
        self._heard()
        self._opened = self._last_sign_of_life

    async def _introduce(self, socket: ClientConnection) -> None:
        sock = socket.transport.get_extra_info("socket")
        socket_options.bound_send_buffer(sock, self._protocol.wire_bytes_per_second)
        try:
            async with asyncio.timeout(self._timeout.connect):
                for text in self._protocol.opening():
                    await socket.send(text)
                while not self._protocol.ready:
                    self._take(await socket.recv())
        except ConnectionClosed as closed:
            raise self._meaning(closed) from closed
        except TimeoutError as late:
            raise DeadlineError("the server did not accept the session in time") from late

    async def _recover(self, socket: ClientConnection, closed: ConnectionClosed | None) -> None:
        """Go on in another connection, unless somebody has seen to that already.

        Raises the error that the end of the old one means if that is not to be.
        """
        async with self._connecting:
            if self._socket is not socket or self._protocol.done:
                return
            self._check()
            try:
                await self._connect_again(self._meaning(closed))
            except VoxtideError as error:
                self._failure = self._failure or error
                raise
        if not self._sending.locked():  # or who sends goes on with what has to be sent again
            await self._send()

    async def _connect_again(self, error: VoxtideError) -> None:
        loop = asyncio.get_running_loop()
        self._note_progress(loop.time())
        while error.retryable:
            wait = self._reconnect.backoff.delay(self._attempt, error.retry_after)
            if loop.time() + wait > self._lost_since + self._reconnect.seconds:
                break
            await self._sleep(wait)
            self._attempt += 1
            try:
                await self._open()
                return
            except VoxtideError as failed:
                error = failed
        raise error

    def _note_progress(self, now: float) -> None:
        """The patience begins anew where the lost connection was of any use."""
        lived_long = now - self._opened > self._reconnect.seconds
        if self._protocol.progress != self._progress or lived_long:
            self._progress, self._attempt, self._lost_since = self._protocol.progress, 0, now

    async def _sleep(self, seconds: float) -> None:
        """Wait; raises what ends the session meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        self._check()

    def _meaning(self, closed: ConnectionClosed | None) -> VoxtideError:
        """What the end of a connection means; None for one that is silent."""
        if closed is None:
            code, reason = _LOST, "no sign of life"
        else:
            code, reason = socket_options.close_code_and_reason(closed)
        error = self._protocol.lost(code, reason)
        return error or DisconnectedError("the session has ended", close_code=code)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed.is_set():
            raise DisconnectedError("the session has been closed")

    # ---- messages --------------------------------------------------------------------

    async def _send(self) -> None:
        """Send all there is to send."""
        async with self._sending:
            while (text := self._protocol.next_text()) is not None:
                socket = self._socket
                try:
                    async with asyncio.timeout(self._timeout.feed):
                        await socket.send(text)
                except ConnectionClosed as closed:
                    await self._read_to_the_end(socket)
                    await self._recover(socket, closed)
                except TimeoutError as late:
                    raise self._took_nothing() from late
                else:
                    self._given()
                    await self._give_way()

    async def _give_way(self) -> None:
        """Let who reads the words in this loop have a turn where one piece follows on another:
        while the network takes everything at once, sending waits for nothing."""
        before, self._sent = self._sent, asyncio.get_running_loop().time()
        if self._sent - before < _AT_ONCE_S:
            await asyncio.sleep(0)

    async def _receive(self, enough: Callable[[], bool], patience: float = inf) -> None:
        """Take the next message, unless what is waited for has come while somebody else did.

        Args:
            enough: Whether that is so.
            patience: Seconds to wait at the most.
        """
        ended: ConnectionClosed | None = None
        async with self._receiving:
            if enough():
                return
            socket = self._socket
            limit = asyncio.get_running_loop().time() + patience
            try:
                message = await self._next_message(socket, limit)
            except ConnectionClosed as closed:
                ended = closed
            except TimeoutError as late:
                if not self._silent(late, limit):
                    return
                socket.transport.abort()
            else:
                self._heard()
                self._take(message)
                return
        # Outside of the lock: the next connection may end while it is sent what the first one
        # has lost, and is then read to its end.
        await self._recover(socket, ended)

    async def _read_to_the_end(self, socket: ClientConnection) -> None:
        """Take what had come before the connection ended: it need not be heard again."""
        if self._socket is not socket:
            return
        async with self._receiving:
            with suppress(ConnectionClosed):
                while self._socket is socket:
                    self._take(await socket.recv())

    async def _next_message(self, socket: ClientConnection, limit: float) -> str | bytes:
        self._limit = limit
        try:
            async with asyncio.timeout_at(self._deadline()) as self._waiting:
                return await socket.recv()
        finally:
            self._waiting = None

    def _silent(self, late: TimeoutError, limit: float) -> bool:
        """Whether nothing came although a sign of life was due; raises where more is over."""
        now = asyncio.get_running_loop().time()
        if self._protocol.done:
            return False
        if (final := self._final_due()) is not None and now >= final:
            raise DeadlineError("the final transcript did not come in time") from late
        if (sign := self._sign_due()) is not None and now >= sign:
            return True
        if now >= limit:
            raise self._took_nothing() from late
        return False

    def _take(self, message: str | bytes) -> None:
        event = self._protocol.receive(message)
        if event is not None:
            self._events.append(event)

    # ---- deadlines -------------------------------------------------------------------

    def _heard(self) -> None:
        self._last_sign_of_life = asyncio.get_running_loop().time()
        self._unheard_since = None

    def _given(self) -> None:
        """The server has been given a piece."""
        if self._unheard_since is None and self._protocol.owes_a_sign:
            self._unheard_since = asyncio.get_running_loop().time()
            self._reschedule()

    def _expect_answer(self) -> None:
        """An answer is owed from now on: an iteration that waits already waits only so long."""
        self._last_sign_of_life = asyncio.get_running_loop().time()
        self._reschedule()

    def _reschedule(self) -> None:
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(self._deadline())

    def _deadline(self) -> float | None:
        """When to stop waiting for the next message; None while nothing is due."""
        if self._protocol.done:
            return 0.0
        due = [time for time in (self._final_due(), self._sign_due()) if time is not None]
        earliest = min([*due, self._limit])
        return None if earliest == inf else earliest

    def _final_due(self) -> float | None:
        untranscribed = self._protocol.untranscribed
        if untranscribed is None:
            return None
        return self._last_sign_of_life + self._timeout.final + untranscribed

    def _sign_due(self) -> float | None:
        since = self._unheard_since
        return None if since is None else since + self._timeout.silence

    async def _read_by_now(self) -> None:
        """Wait while more events are unread than may be; raises DeadlineError in the end."""
        try:
            async with asyncio.timeout(self._timeout.feed):
                while len(self._events) >= socket_options.UNREAD_EVENTS:
                    self._read.clear()
                    await self._read.wait()
        except TimeoutError as late:
            raise DeadlineError("nobody reads the events of the session") from late

    def _took_nothing(self) -> DeadlineError:
        return DeadlineError(f"the server took no audio for {self._timeout.feed:g} s")


async def _close(socket: ClientConnection) -> None:
    try:
        async with asyncio.timeout(socket_options.CLOSE_SECONDS):
            await socket.close()
    except TimeoutError:
        # The goodbye queues behind audio that the server does not take.
        socket.transport.abort()
        await socket.wait_closed()
