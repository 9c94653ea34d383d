"""What became of each file, for people and for machines."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import click

from ..errors import VoxtideError
from .display import Quiet
from .exits import ExitCode


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        output: Where the result is, if it is in a file.
        text: The result, if it is for standard output.
        error: Why there is no result.
    """

    status: Literal["done", "skipped", "failed"]
    output: str | None = None
    text: str | None = None
    error: Exception | None = None

    def as_json(self, file: str) -> Mapping[str, Any]:
        """The line of `--json`; fields that say nothing are left out."""
        line = {
            "file": file,
            "status": self.status,
            "output": self.output,
            "result": self.text,
            "error": None if self.error is None else described(self.error),
        }
        return {name: value for name, value in line.items() if value is not None}


def described(error: Exception) -> Mapping[str, str]:
    """An error as a code and a sentence; a file that cannot be read has one code for all."""
    code = error.code if isinstance(error, VoxtideError) else "unreadable_file"
    return {"code": code, "message": str(error)}


class Report:
    """Prints outcomes as they come, texts in the order of the files, and counts them.

    Args:
        total: How many files there are.
        display: To be kept out of the way.
        as_json: Whether to print a line of JSON for each file instead.
    """

    def __init__(self, total: int, display: Quiet, *, as_json: bool) -> None:
        self.total = total
        self._display = display
        self._as_json = as_json
        self._counts: Counter[str] = Counter()
        self._held: dict[int, str] = {}
        self._next = 0

    def add(self, number: int, file: str, outcome: Outcome) -> None:
        """Take the outcome of a file, the `number`th from 0."""
        self._counts[outcome.status] += 1
        if self._as_json:
            self._print(json.dumps(outcome.as_json(file), ensure_ascii=False) + "\n")
            return
        if outcome.error is not None:
            self._print(f"Error: {file}: {outcome.error}\n", err=True)
        self._held[number] = outcome.text or ""
        while self._next in self._held:
            self._print(self._held.pop(self._next))
            self._next += 1

    def close(self) -> None:
        """Print the texts that still wait for an earlier file."""
        for number in sorted(self._held):
            self._print(self._held.pop(number))

    @property
    def exit_code(self) -> ExitCode:
        """Of the command, if it comes to its end."""
        return ExitCode.FAILED if self._counts["failed"] else ExitCode.OK

    def __str__(self) -> str:
        counts = ", ".join(f"{self._counts[name]} {name}" for name in ("done", "skipped", "failed"))
        return f"{counts} of {self.total} files"

    def _print(self, text: str, *, err: bool = False) -> None:
        if text:
            with self._display.aside():
                click.echo(text, nl=False, err=err)
