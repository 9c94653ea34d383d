"""Progress bars on standard error, by rich (extra `cli`)."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from .. import upload
from ..upload import OnProgress
from .display import Quiet

_NAME_CHARACTERS = 32


class Bars(Quiet):
    """A line for all files, and one for each that is at work, on standard error."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._progress = progress
        self._all = progress.add_task("files", total=total, state="")
        self._files: dict[str, TaskID] = {}

    def began(self, name: str) -> OnProgress:
        """Adds a line."""
        task = self._progress.add_task(_short(name), total=None, state="")
        self._files[name] = task

        def show(made: upload.Progress) -> None:
            state = "transcribing" if made.waiting else "sending"
            self._progress.update(task, completed=made.sent, total=made.total, state=state)

        return show

    def ended(self, name: str) -> None:
        """Takes the line away."""
        self._progress.advance(self._all)
        self._progress.remove_task(self._files.pop(name))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Takes all lines away for a moment."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


def _short(name: str) -> str:
    """The end of a long name, so that there is room for the bar."""
    return name if len(name) <= _NAME_CHARACTERS else "…" + name[1 - _NAME_CHARACTERS :]


@contextmanager
def bars(total: int) -> Iterator[Bars]:
    """The display for so many files."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    # What goes to standard output is not the display's to redirect.
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        yield Bars(total, progress)
