"""A WebSocket for a greenlet that writes and one that reads.

`websockets` does the protocol (its Sans-I/O layer), gevent the waiting: of the transports that were
tried, this one needs the least CPU for a frame (docs/loadtest.md). Messages are not compressed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gevent import socket, ssl
from gevent.lock import RLock
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event, State
from websockets.uri import WebSocketURI, parse_uri

_CHUNK = 1 << 16
_PATIENCE_S = 30.0
"""For a server that does not answer the handshake."""


class Refused(Exception):
    """The server did not let this session in.

    Attributes:
        code: of its error object; else "http_STATUS", or "unreachable".
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ConnectionLost(Exception):
    """The connection is gone; the message is the close code, where there is one."""


class Connection:
    """An open WebSocket.

    Args:
        address: ws:// or wss://.
        key: for the header Authorization; None for none.

    Raises:
        Refused: the server did not accept it.
    """

    def __init__(self, address: str, key: str | None) -> None:
        uri = parse_uri(address)
        self._protocol = ClientProtocol(uri, max_size=None)
        self._lock = RLock()
        self._early: list[Event] = []  # what came with the answer to the handshake
        try:
            self._socket = _connected(uri)
        except OSError as error:
            raise Refused("unreachable") from error
        try:
            self._shake_hands(key)
        except BaseException:
            self.cut()
            raise

    def send(self, message: bytes) -> None:
        """Write a text; waits while the server does not read.

        Raises:
            ConnectionLost: the connection is gone.
        """
        with self._lock:
            if self._protocol.state is not State.OPEN:
                raise self._lost()
            self._protocol.send_text(message)
            self._flush()

    def messages(self) -> Iterator[bytes]:
        """The texts that come, until the connection ends, however it does.

        Raises:
            ConnectionLost: it was not closed by both sides.
        """
        parts: list[bytes] = []
        events, self._early = self._early, []
        while True:
            for event in events:
                if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.CONT):
                    parts.append(bytes(event.data))
                    if event.fin:
                        yield b"".join(parts)
                        parts.clear()
            if self._protocol.state is State.CLOSED:
                if self._protocol.close_rcvd is None or self._protocol.close_sent is None:
                    raise self._lost()
                return
            events = self._received()

    def close(self) -> None:
        """Say goodbye, and do not wait for an answer."""
        with self._lock:
            try:
                if self._protocol.state is State.OPEN:
                    self._protocol.send_close(1000)
                    self._flush()
            except ConnectionLost:
                pass
        self.cut()

    def cut(self) -> None:
        """Without a goodbye."""
        self._socket.close()

    def _shake_hands(self, key: str | None) -> None:
        request = self._protocol.connect()
        if key is not None:
            request.headers["Authorization"] = f"Bearer {key}"
        self._socket.settimeout(_PATIENCE_S)
        try:
            self._protocol.send_request(request)
            self._flush()
            while self._protocol.state is State.CONNECTING:
                self._early = self._received()
                refusal = self._protocol.handshake_exc
                for event in self._early:
                    if refusal and isinstance(event, Response):
                        raise Refused(_code(event)) from refusal
                if refusal:
                    raise refusal
        except (ConnectionLost, InvalidHandshake) as error:
            raise Refused("no_handshake") from error
        self._socket.settimeout(None)

    def _received(self) -> list[Event]:
        """What the next bytes say; a ping among them is answered."""
        try:
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise self._lost() from error
        with self._lock:
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            self._flush()
            return self._protocol.events_received()

    def _flush(self) -> None:
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self._socket.sendall(data)
        except OSError as error:
            raise self._lost() from error

    def _lost(self) -> ConnectionLost:
        received = self._protocol.close_rcvd
        return ConnectionLost(f"closed_{received.code}" if received else "cut")


def _connected(uri: WebSocketURI) -> socket.socket:
    plain = socket.create_connection((uri.host, uri.port), timeout=_PATIENCE_S)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not uri.secure:
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=uri.host)


def _code(response: Response) -> str:
    """Of a refusal: what its error object says, or its status."""
    try:
        return str(json.loads(response.body or b"")["error"]["code"])
    except (ValueError, TypeError, KeyError):
        return f"http_{response.status_code}"
