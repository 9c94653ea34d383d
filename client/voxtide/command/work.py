"""Work on many files, several at once, with a display and a report."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import click

from ..errors import UnreachableError, VoxtideError
from ..upload import OnProgress
from .display import Quiet, shown
from .exits import ExitCode
from .file_options import FileOptions
from .report import Outcome, Report

_Item = TypeVar("_Item")


def run(
    files: Mapping[str, _Item],
    work: Callable[[_Item, OnProgress | None], Awaitable[Outcome]],
    options: FileOptions,
) -> ExitCode:
    """Work on files, say what becomes of each, and give the exit code.

    What `work` raises becomes the outcome of its file, and the others go on.  Ctrl-C and a server
    that cannot be reached end it all: how far it came is said, and they are raised again.

    Args:
        files: By the names under which people know them.
        work: Does what is to be done with one; it may pass its second argument on to the client.
    """
    with shown(len(files)) as display:
        report = Report(len(files), display, as_json=options.as_json)

        async def one(numbered: tuple[int, tuple[str, _Item]]) -> None:
            number, (name, item) = numbered
            on_progress = display.began(name)
            try:
                report.add(number, name, await _outcome(work(item, on_progress)))
            finally:
                display.ended(name)

        _finish(_work_off(enumerate(files.items()), options.jobs, one), report, display)
    return report.exit_code


async def _outcome(work: Awaitable[Outcome]) -> Outcome:
    try:
        return await work
    except UnreachableError:
        raise
    except (VoxtideError, OSError) as error:
        return Outcome("failed", error=error)


async def _work_off(
    items: Iterable[_Item], jobs: int, work: Callable[[_Item], Awaitable[None]]
) -> None:
    """Begin with the items in their order, `jobs` at once; the first error ends the others."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(jobs):
                tasks.create_task(worker())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def _finish(working: Coroutine[Any, Any, None], report: Report, display: Quiet) -> None:
    """Carry the work to its end, and say how far it came where that is worth a line."""
    try:
        asyncio.run(working)
    except KeyboardInterrupt:
        _conclude("Interrupted", report, display)
        raise
    except UnreachableError:
        if report.total > 1:
            _conclude("Stopped", report, display)
        raise
    if report.total > 1 and sys.stderr.isatty():
        _conclude("Finished", report, display)


def _conclude(how: str, report: Report, display: Quiet) -> None:
    with display.aside():
        report.close()
        click.echo(f"{how}: {report}.", err=True)
