"""A run that is not over: PATH.part, to which utterances are appended as they are heard.

Its lines are those of a manifest, in the order in which they came; of two with the same id the
later one counts. A process that is killed leaves at most one torn line at its end.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from .. import manifest
from ..manifest import Heard, ManifestError, Run


class OtherRunError(ValueError):
    """What is there belongs to a run with other settings; the message names them."""


class InUseError(RuntimeError):
    """Another process is at this run."""


class Part:
    """What has been heard of a run so far, kept on disk.

    Args:
        path: of the manifest that the run becomes.
        run: which one it is.

    Attributes:
        heard: what there is a transcript of, by id; what had an error is to be heard again.

    Raises:
        OtherRunError: there is a run with other settings, finished or not.
        InUseError: another process is at it.
        ManifestError: what is there is broken, beyond a torn last line.
    """

    def __init__(self, path: Path, run: Run) -> None:
        self._path = path
        self._run = run
        self._part = path.with_name(path.name + ".part")
        self._file = _locked(self._part)
        try:
            self.heard = self._found()
        except BaseException:
            if not self._part.stat().st_size:  # it was made just now
                self._part.unlink()
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, heard: Heard) -> None:
        """Keep an utterance; it is on disk when this returns, but for a crash of the machine."""
        self._write(manifest.line(heard))
        self.heard[heard.id] = heard

    def finish(self, order: Iterable[str]) -> None:
        """Write the manifest, in the dataset's order, and remove the part.

        Args:
            order: the ids of all utterances.
        """
        manifest.write(self._path, self._run, (self.heard[name] for name in order))
        self._part.unlink()

    def _found(self) -> dict[str, Heard]:
        """What either file has, the part going on from the manifest."""
        rows = _whole_lines(self._file)
        if not rows:
            before = self._finished()
            self._write(manifest.line(self._run))
            return before
        self._check(manifest.run_of(_parsed(rows[0], self._part, 1), self._part), self._part)
        numbered = enumerate(rows[1:], 2)
        lines = [(number, _parsed(row, self._part, number)) for number, row in numbered]
        heard = [manifest.heard_of(row, self._part, number) for number, row in lines]
        return self._finished() | _without_errors(heard)

    def _finished(self) -> dict[str, Heard]:
        if not self._path.exists():
            return {}
        whole = manifest.read(self._path)
        self._check(whole.run, self._path)
        return _without_errors(whole.heard)

    def _check(self, found: Run, path: Path) -> None:
        here, there = _comparable(self._run), _comparable(found)
        if differing := [name for name in here | there if here.get(name) != there.get(name)]:
            told = "; ".join(f"{n}: {there.get(n)!r} there, {here.get(n)!r} now" for n in differing)
            raise OtherRunError(f"{path} is a run with other settings ({told})")

    def _write(self, line: str) -> None:
        self._file.write(line.encode())
        self._file.flush()


def _locked(path: Path) -> IO[bytes]:
    """The file, which nobody else has open this way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise InUseError(f"{path}: another process is at this run") from None
    return file


def _whole_lines(file: IO[bytes]) -> list[bytes]:
    """All lines that were written to their ends; what is left of another one is cut off."""
    file.seek(0)
    text = file.read()
    whole = text.rfind(b"\n") + 1
    file.truncate(whole)
    return text[:whole].splitlines()


def _parsed(row: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        data = json.loads(row)
    except ValueError as error:
        raise ManifestError(f"{path}, line {number}: it is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ManifestError(f"{path}, line {number}: it is no JSON object")
    return data


def _comparable(run: Run) -> dict[str, Any]:
    """The run by its fields, settings and server by theirs, as JSON gives them back."""
    fields: dict[str, Any] = json.loads(json.dumps(asdict(run)))
    settings, server = fields.pop("settings"), fields.pop("server")
    return {**fields, **settings, **{f"server's {name}": told for name, told in server.items()}}


def _without_errors(heard: Iterable[Heard]) -> dict[str, Heard]:
    return {one.id: one for one in heard if not one.error}
