"""WebSocket handshakes that uvicorn takes for plain requests, and answers with 404.

LiveKit's plugin for Mistral sends `Connection: Upgrade` and, from its HTTP client,
`Connection: keep-alive`. Lines of one name are one list (RFC 9110, section 5.2);
uvicorn looks at the last line only.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def install() -> None:
    """Make uvicorn read all of the lines; a uvicorn that asks in another way stays as it is."""
    if hasattr(AutoHTTPProtocol, "_get_upgrade"):
        setattr(AutoHTTPProtocol, "_get_upgrade", _upgrade)  # noqa: B010


def _upgrade(connection: Any) -> bytes | None:
    """The protocol that a request asks to go on in."""
    options = _values(connection, b"connection")
    return next(iter(_values(connection, b"upgrade")), None) if b"upgrade" in options else None


def _values(connection: Any, header: bytes) -> list[bytes]:
    lines = [value.lower() for name, value in connection.headers if name == header]
    return [part.strip() for part in b",".join(lines).split(b",")]
