"""`manifest.jsonl`: what became of each object, a line each.

A line is {"source": the name, "status", "size", "etag", "mtime", "updated"}, with "document" where
the status is done, "error": {"code", "message"} where it is failed, and "reason" where it is
skipped.  The file is written as a whole: when some seconds have passed, and at the end.  It may
be behind the documents after a crash; those count.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Self

from .store import Store, Version

NAME = "manifest.jsonl"
_SECONDS_BETWEEN_WRITES = 5.0


class Manifest:
    """The lines by the names of their objects.

    Args:
        store: Where the manifest is.
        lines: What it says so far.
    """

    def __init__(self, store: Store, lines: dict[str, Mapping[str, Any]]) -> None:
        self._store = store
        self._lines = lines
        self._changed = False
        self._written = time.monotonic()
        self._writing = asyncio.Lock()

    @classmethod
    def read(cls, store: Store) -> Self:
        """The manifest of an earlier run; what cannot be read of it is left out."""
        try:
            text = store.read(NAME).decode(errors="replace")
        except FileNotFoundError:
            text = ""
        lines = (_line(row) for row in text.splitlines())
        return cls(store, {str(line["source"]): line for line in lines if line is not None})

    def status(self, name: str, version: Version) -> str | None:
        """What became of this very content of an object; None if that is not known."""
        line = self._lines.get(name)
        return str(line["status"]) if line and Version.of(line) == version else None

    def set(self, name: str, version: Version, status: str, **more: Any) -> None:
        """Note what became of an object."""
        line = {"source": name, "status": status, **asdict(version), **more}
        self._lines[name] = line | {"updated": now()}
        self._changed = True

    async def keep(self) -> None:
        """Write it if that is due."""
        async with self._writing:
            if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
                await asyncio.to_thread(self._write, self._text())

    def close(self) -> None:
        """Write it if there is anything new."""
        if self._changed:
            self._write(self._text())

    def _text(self) -> bytes:
        self._changed = False
        rows = (json.dumps(self._lines[name], ensure_ascii=False) for name in sorted(self._lines))
        return "".join(f"{row}\n" for row in rows).encode()

    def _write(self, data: bytes) -> None:
        self._store.write(NAME, data)
        self._written = time.monotonic()


def now() -> str:
    """The time, ISO 8601 in UTC to a second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _line(row: str) -> Mapping[str, Any] | None:
    try:
        line = json.loads(row)
    except ValueError:
        return None
    return line if isinstance(line, dict) and {"source", "status"} <= line.keys() else None
