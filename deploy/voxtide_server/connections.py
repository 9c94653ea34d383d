"""What voxtide asks of the connections under it, which are uvicorn's.

ASGI has no word for any of this, so it reaches into the object that uvicorn's `receive`
belongs to, and leaves anything else as it is.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Receive

MAX_UNTAKEN_BYTES = 16 << 20
"""Bytes that may wait in a connection for a client that sends pings: the answers to them,
and at the most one message, which is never as large."""
MAX_FRAGMENTS = 1 << 16
"""Fragments of one message: of 256 bytes each where it is as large as may be."""
GONE_MS = 120_000
"""Milliseconds after which a client that takes or acknowledges nothing is gone."""
RECEIVE_BUFFER = 1 << 17
"""Bytes that the kernel may hold of what is not read yet (Linux doubles it): about 6 s
of PCM16 at 16 kHz in base64."""


def prepare(receive: Receive) -> None:
    """Make a WebSocket fit for audio from strangers.

    Args:
        receive: of uvicorn, before the connection is accepted.
    """
    _loosen(receive)
    _decline_compression(receive)
    _bound_frames(receive)


def _loosen(receive: Receive) -> None:
    """Make backpressure bearable for a client's keep-alive.

    A client that is made to wait has its pings and pongs queued behind audio that
    is not read yet, and both uvicorn and the `websockets` clients give up on a
    connection that is silent for 20 s. So the kernel may hold only a few seconds
    of audio, not the megabytes that it grows to by itself, and uvicorn needs no
    pong; that a client's machine is gone is noticed by TCP.

    Args:
        receive: of uvicorn; anything else is left as it is.
    """
    protocol: Any = getattr(receive, "__self__", None)
    if hasattr(protocol, "ping_timeout"):
        protocol.ping_timeout = None
    connection = getattr(protocol, "transport", None)
    if connection is not None and (sock := connection.get_extra_info("socket")):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    end_when_gone(receive)


def end_when_gone(receive: Receive) -> None:
    """Let TCP end a connection whose client takes nothing of what is sent to it.

    Args:
        receive: of uvicorn, for a WebSocket or a request; anything else is left as it is.
    """
    connection = getattr(getattr(receive, "__self__", None), "transport", None)
    if connection is not None and (sock := connection.get_extra_info("socket")):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)


def _decline_compression(receive: Receive) -> None:
    """Take messages as they are, where uvicorn would agree to permessage-deflate.

    A few kilobytes could be inflated to many messages of the largest size before any of
    them is looked at, and what the kernel holds would be more audio than `_loosen` means.

    Args:
        receive: of uvicorn, before the connection is accepted; anything else is left as
            it is.
    """
    protocol: Any = getattr(receive, "__self__", None)
    if hasattr(protocol, "conn") and hasattr(protocol, "response"):
        protocol.response.headers.pop("Sec-WebSocket-Extensions", None)
        protocol.conn.extensions = []


def _bound_frames(receive: Receive) -> None:
    """Drop a client that fills the memory with frames that are no messages.

    uvicorn answers every ping, whether or not the client takes the answers, and keeps
    every fragment of a message until its last one comes, empty ones too.

    Args:
        receive: of uvicorn; anything else is left as it is.
    """
    protocol: Any = getattr(receive, "__self__", None)
    for name in ("handle_ping", "handle_cont"):
        if (handle := getattr(protocol, name, None)) is not None:
            setattr(protocol, name, partial(_bounded, protocol, handle))


def _bounded(protocol: Any, handle: Callable[..., None], *frame: object) -> None:
    connection = protocol.transport
    if connection.is_closing():  # what came in one piece with what was too much
        return
    handle(*frame)
    untaken = connection.get_write_buffer_size()
    if untaken > MAX_UNTAKEN_BYTES or len(protocol.frames) > MAX_FRAGMENTS:
        connection.abort()
