"""What a file is sent from, and how far it has come."""

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias
from urllib.parse import urlsplit

AudioFile: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file has come.

    Attributes:
        sent: Bytes of the file that are on their way.
        total: Its bytes in all; None for a file object that does not tell.
        waiting: Whether all of it is sent, and the server is at work on it.
        attempt: 1 for the first try, one more each time that it is sent again.
    """

    sent: int
    total: int | None
    waiting: bool
    attempt: int


OnProgress: TypeAlias = Callable[[Progress], None]


class Upload:
    """The part of a file object that httpx needs, from where the file object stands.

    httpx asks for the next piece when the network has taken the one before it: that is what
    `on_progress` is told.

    Attributes:
        name: The file's name, without folders.
        rewindable: Whether it can be sent again.
    """

    def __init__(self, name: str, content: IO[bytes], on_progress: OnProgress | None) -> None:
        self.name = name
        self.rewindable = _seekable(content)
        self._content = content
        self._on_progress = on_progress or (lambda progress: None)
        self._start = content.tell() if self.rewindable else 0
        self._total = self._size() if self.rewindable else None
        self._position = 0
        self._attempt = 1

    def again(self) -> None:
        """Be sent from the beginning once more."""
        self._attempt += 1

    def read(self, size: int = -1) -> bytes:
        """The next piece; b"" at the end.  What a file grows by meanwhile is not sent."""
        if self._total is not None:
            left = self._total - self._position
            size = left if size < 0 else min(size, left)
        data = self._content.read(size)
        if not isinstance(data, bytes):
            raise TypeError(f"file must give bytes, not {type(data).__name__}: open it with 'rb'")
        self._position += len(data)
        waiting = not data
        self._on_progress(Progress(self._position, self._total, waiting, self._attempt))
        return data

    def tell(self) -> int:
        """Where the next piece begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to the beginning or, to learn the length, to the end; httpx does nothing else."""
        if self._total is None:
            raise io.UnsupportedOperation("this file cannot be sent again")
        self._position = self._total if whence == os.SEEK_END else offset
        self._content.seek(self._start + self._position)
        return self._position

    def _size(self) -> int:
        end = self._content.seek(0, os.SEEK_END)
        self._content.seek(self._start)
        return max(0, end - self._start)


@contextmanager
def opened(file: AudioFile, on_progress: OnProgress | None = None) -> Iterator[Upload]:
    """A file, ready to be sent; a path is opened here and closed afterwards.

    Args:
        file: A path, a file:// URL, the content, or a file object opened for reading bytes.
        on_progress: Called with each piece.

    Raises:
        OSError: For a path that cannot be read.
        TypeError: For something else than a file.
        ValueError: For a URL of something that is not on this machine.
    """
    if isinstance(file, bytes):
        yield Upload("audio", io.BytesIO(file), on_progress)
    elif isinstance(file, str | os.PathLike):
        path = local_path(file)
        with path.open("rb") as content:
            yield Upload(path.name, content, on_progress)
    elif isinstance(file, io.TextIOBase):
        raise TypeError("file must be opened for reading bytes, with 'rb'")
    elif callable(getattr(file, "read", None)):
        yield Upload(_name(file), file, on_progress)
    else:
        kind = type(file).__name__
        raise TypeError(f"file must be a path, bytes or a file object, not {kind}")


def local_path(file: str | os.PathLike[str]) -> Path:
    """The path that a path or a file:// URL (RFC 8089) means."""
    text = os.fspath(file)
    if not isinstance(text, str):
        raise TypeError("file must be a path of text, not of bytes")
    if not _URL.match(text):
        return Path(text)
    url = urlsplit(text)
    if url.scheme.lower() != "file" or url.netloc.lower() not in ("", "localhost"):
        raise ValueError(f"file must be on this machine: a path or file:///PATH, not {text!r}")
    from urllib.request import url2pathname  # slow to import

    return Path(url2pathname(url.path))


def _seekable(content: IO[bytes]) -> bool:
    asked = getattr(content, "seekable", None)
    return bool(asked()) if callable(asked) else False


def _name(file: IO[bytes]) -> str:
    """Files without a name on disk have a number or nothing."""
    name = getattr(file, "name", None)
    return Path(name).name if isinstance(name, str) and name else "audio"
