"""A folder or a bucket, by fsspec: file, s3, gs, and whatever else it knows."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Self, TypeVar

import click

from . import outputs
from .exits import Failure

# File systems call the same thing by many names; the first that is there counts.
_ETAGS = ("ETag", "etag", "md5Hash")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "created")

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one content of an object from another.

    Attributes:
        size: In bytes.
        etag: The store's own mark of the content; None where there is none.
        mtime: When it was written, ISO 8601 in UTC; None where that is not known.
    """

    size: int | None
    etag: str | None
    mtime: str | None

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        """From fsspec's description of an object, or from a document or a manifest's line."""
        etag, mtime = _first(about, _ETAGS), _first(about, _TIMES)
        return cls(about.get("size"), None if etag is None else str(etag), _iso(mtime))


class Store:
    """A folder or a bucket; names of objects are relative to it, with slashes.

    Args:
        filesystem: Of fsspec.
        root: The folder's path in it.
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        self._files = filesystem
        self._root = root.rstrip("/")
        self._is_local = "file" in _protocols(filesystem)

    @classmethod
    def opened(cls, address: str) -> Self:
        """The folder or bucket at a path or a URL.

        Raises Failure where a package is missing, click.UsageError for a protocol that is none.
        """
        try:
            from fsspec.core import url_to_fs
        except ModuleNotFoundError as missing:
            raise Failure("voxtide batch needs fsspec: pip install 'voxtide[batch]'") from missing
        try:
            return cls(*url_to_fs(address))
        except ImportError as missing:
            protocol = address.partition("://")[0]
            raise Failure(
                f"{protocol}:// needs a package beside voxtide[batch]: {missing}"
            ) from missing
        except ValueError as wrong:
            raise click.UsageError(f"{address}: {wrong}") from wrong

    def address(self, name: str) -> str:
        """The URL of an object."""
        return str(self._files.unstrip_protocol(self._path(name)))

    def holds(self, other: "Store") -> bool:
        """Whether another one is this one, or a folder in it."""
        mine, theirs = self.address("").rstrip("/"), other.address("").rstrip("/")
        return (theirs + "/").startswith(mine + "/")

    def is_folder(self) -> bool:
        """Whether it exists, and is no single object."""
        return self._talking(lambda: bool(self._files.isdir(self._root)))

    def versions(self) -> dict[str, Version]:
        """All objects, sorted; empty for a folder that does not exist."""

        def find() -> dict[str, Version]:
            self._files.invalidate_cache()
            found = self._files.find(self._root, detail=True)
            names = {self._name(path): Version.of(about) for path, about in found.items()}
            return {name: names[name] for name in sorted(names)}

        return self._talking(find)

    def read(self, name: str) -> bytes:
        """The content of an object."""
        return self._talking(lambda: bytes(self._files.cat_file(self._path(name))))

    def write(self, name: str, data: bytes) -> None:
        """Write an object as a whole or not at all; stores of objects do nothing else."""
        if self._is_local:
            outputs.write(data, Path(self._path(name)))
        else:
            self._talking(lambda: self._files.pipe_file(self._path(name), data))

    def fetch(self, name: str, folder: Path) -> Path:
        """A file on this machine with the content of an object; a copy in `folder` if need be."""
        if self._is_local:
            return Path(self._path(name))
        copy = folder / PurePosixPath(name).name
        self._talking(lambda: self._files.get_file(self._path(name), str(copy)))
        return copy

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _name(self, path: str) -> str:
        return path.removeprefix(self._root).lstrip("/")

    def _talking(self, talk: Callable[[], _Result]) -> _Result:
        """Each file system has errors of its own; here they are one kind."""
        try:
            return talk()
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{self.address('')}: {type(error).__name__}: {error}") from error


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for copies, for as long as the body lasts."""
    with tempfile.TemporaryDirectory(prefix="voxtide-batch-") as folder:
        yield Path(folder)


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _first(about: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((about[name] for name in names if about.get(name) is not None), None)


def _iso(time: Any) -> str | None:
    if isinstance(time, int | float):
        time = datetime.fromtimestamp(time, UTC)
    return time.isoformat() if isinstance(time, datetime) else time
