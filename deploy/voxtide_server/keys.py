"""Who may come in: API keys, and short-lived secrets for browsers that are made from them.

A file of keys has a line for each, a name and the SHA-256 of the key, and is read
again when it changes:

    # made by: python -m voxtide_server.keys
    anna   sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

A key is random and long, so a plain hash of it tells nothing. A secret for a browser
is a signed statement: the name of the key that it was made with, when it ends, and
how its session begins. Nothing about it is stored.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import secrets
import sys
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from . import metrics
from .logs import logger
from .start_errors import UsageError

LOOK_S = 1.0
"""Seconds between two looks at the file of keys."""
ANYBODY = ""
"""The name of callers where no key is asked for."""
_ONE = "key"
"""The name of the only key, where there is one."""
_LINE = re.compile(r"([\w.-]{1,64})\s+sha256:([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a connection belongs to.

    Attributes:
        name: of the key, or ANYBODY.
        temporary: whether it came with a short-lived secret, which opens sessions alone.
        first: a message that its session begins with, as if the client had sent it.
    """

    name: str
    temporary: bool = False
    first: dict[str, Any] | None = None


class Keys:
    """The keys that are taken.

    Args:
        key: the only one, or None.
        file: of many, or None. Without either nobody is asked for a key.
        secret: what short-lived secrets are signed with.

    Raises:
        UsageError: the file cannot be read, or is not as it should be.
    """

    def __init__(self, key: str | None, file: Path | None, secret: str) -> None:
        self._file = file
        self._own = {} if key is None else {_ONE: _digest(key)}
        self._secret = secret.encode()
        self._looked = time.monotonic()
        self._seen = self._tried = None if file is None else _changed(file)
        self._known = self._own if file is None else self._read(file)

    @property
    def asked_for(self) -> bool:
        """Whether callers have to show a key."""
        return bool(self._own) or self._file is not None

    def caller(self, shown: list[str]) -> Caller | None:
        """Who shows this; None for nobody who is known.

        Args:
            shown: keys and secrets, of which one has to be right.
        """
        if not self.asked_for:
            return next(filter(None, map(self._of_secret, shown)), Caller(ANYBODY))
        self._look()
        for text in shown:
            digest, name = _digest(text), None
            for known, expected in self._known.items():  # all of them, in constant time
                if hmac.compare_digest(digest, expected):
                    name = known
            if name is not None:
                return Caller(name)
            if (caller := self._of_secret(text)) and caller.name in self._known:
                return caller
        return None

    def mint(
        self, prefix: str, name: str, expires_at: int, first: dict[str, Any] | None = None
    ) -> str:
        """A secret that stands for a key until a time.

        Args:
            prefix: what it begins with, so that a person knows it.
            name: of the key.
            expires_at: seconds since the epoch.
            first: a message that sessions begin with which are opened with it.
        """
        said = urlsafe_b64encode(orjson.dumps([name, expires_at, first])).decode().rstrip("=")
        return f"{prefix}_{said}.{self._signature(said)}"

    def _of_secret(self, text: str) -> Caller | None:
        said, point, signature = text.partition("_")[2].partition(".")
        shown = signature.encode("utf-8", "surrogateescape")
        if not point or not hmac.compare_digest(shown, self._signature(said).encode()):
            return None
        try:
            name, expires_at, first = orjson.loads(urlsafe_b64decode(said + "=" * (-len(said) % 4)))
        except (ValueError, binascii.Error):  # pragma: no cover - it is signed
            return None
        return Caller(name, True, first) if time.time() < expires_at else None

    def _signature(self, said: str) -> str:
        digest = hmac.digest(self._secret, said.encode("utf-8", "surrogateescape"), "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def _look(self) -> None:
        """Read the file again if it has changed; what is wrong with it changes nothing."""
        now = time.monotonic()
        if self._file is None or now - self._looked < LOOK_S:
            return
        self._looked = now
        changed: tuple[int, int, int] | None = None
        try:
            changed = _changed(self._file)
            if changed != self._seen:
                self._known = self._read(self._file)
                self._seen = self._tried = changed
                logger.info("%s: %d keys", self._file, len(self._known))
            metrics.KEYS_FAILING.set(0)
        except UsageError as error:
            if changed != self._tried:  # once, and tried again at each look
                logger.error("the keys stay as they are: %s", error)
            self._tried = changed
            metrics.KEYS_FAILING.set(1)

    def _read(self, file: Path) -> dict[str, bytes]:
        known = dict(_read(file))
        if _ONE in known and self._own:
            raise UsageError(f"{file}: the name {_ONE} is that of the key which is set")
        return {**self._own, **known}


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _changed(file: Path) -> tuple[int, int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise UsageError(f"the keys cannot be read: {error}") from None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"the keys cannot be read: {error}") from None
    names = set()
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            raise UsageError(f"{file}, line {number}: a key is 'NAME sha256:HEX'")
        name = found[1]
        if name in names:
            raise UsageError(f"{file}, line {number}: the name {name} is there twice")
        names.add(name)
        yield name, bytes.fromhex(found[2])


def main(arguments: list[str]) -> int:
    """Make a key: the key itself goes to stderr, the line for the file to stdout."""
    if len(arguments) != 1 or not re.fullmatch(r"[\w.-]{1,64}", arguments[0]):
        print("usage: python -m voxtide_server.keys NAME >> FILE", file=sys.stderr)
        return 2
    key = f"vt_{secrets.token_urlsafe(32)}"
    print(f"{arguments[0]} sha256:{_digest(key).hex()}")
    print(key, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
