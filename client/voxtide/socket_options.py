"""How a WebSocket is opened, and how much they let it hold.

Backpressure: `feed()` waits once the socket holds about `SEND_BUFFER_SECONDS` of audio that the
server has not taken.  Events that nobody iterates over wait in a queue of `UNREAD_MESSAGES`; a
server sends at most one delta for 80 ms of audio, so that is at least 80 s of speech.  When the
queue is full the client stops reading until there is room; whoever feeds then reads on for the
acknowledgements, until `UNREAD_EVENTS` wait.
"""

import socket
from typing import TYPE_CHECKING, Any

from .config import Endpoint, Timeout

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed

SEND_BUFFER_SECONDS = 5.0
UNREAD_MESSAGES = 1000
UNREAD_EVENTS = 10_000
_MAX_MESSAGE_BYTES = 16 * 2**20
# The closing handshake is a courtesy: leaving a session must not wait for a slow server.
CLOSE_SECONDS = 1.0


def connect_options(endpoint: Endpoint, timeout: Timeout) -> dict[str, Any]:
    """Keyword arguments for `connect()` of websockets."""
    return {
        "additional_headers": endpoint.headers,
        # Base64 of speech hardly shrinks, and deflating it costs more than all the rest.
        "compression": None,
        "open_timeout": timeout.connect,
        "close_timeout": CLOSE_SECONDS,
        "max_queue": UNREAD_MESSAGES,
        "max_size": _MAX_MESSAGE_BYTES,
        # Pings keep proxies from closing an idle connection.  A late pong proves nothing: the ping
        # queues behind seconds of audio.  `Timeout.feed` and `Timeout.final` watch the server.
        "ping_interval": 20.0,
        "ping_timeout": None,
        "proxy": None if endpoint.is_loopback else True,
    }


def bound_send_buffer(sock: socket.socket, wire_bytes_per_second: int) -> None:
    """Let the kernel hold at most SEND_BUFFER_SECONDS of audio, so that `feed()` soon waits."""
    size = int(SEND_BUFFER_SECONDS * wire_bytes_per_second)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)


def close_code_and_reason(closed: "ConnectionClosed") -> tuple[int, str]:
    """What the server closed with; 1006 if it did not say goodbye."""
    return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
