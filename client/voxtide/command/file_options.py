"""What the subcommands that send files have in common."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from ..aio import AsyncClient
from ..config import Endpoint, Timeout
from .options import base_url_option, endpoint

_OPTIONS = (
    click.option("--language", metavar="CODE", help="Of the speech, such as en."),
    click.option("--model", metavar="NAME", help="Of the server's models.  Default: its own."),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1, 256),
        default=4,
        show_default=True,
        help="Files at work at once.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 100),
        default=2,
        show_default=True,
        help="How often a file is sent again after an error that may pass.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=Timeout().response,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for a file's answer.",
    ),
    click.option("--force", is_flag=True, help="Do again what is done."),
    click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each file."),
    base_url_option(),
)


@dataclass(frozen=True, slots=True)
class FileOptions:
    """The options by their names."""

    language: str | None
    model: str | None
    jobs: int
    retries: int
    timeout: float
    force: bool
    as_json: bool
    base_url: str | None

    def endpoint(self) -> Endpoint:
        """Where the server is; a URL that is none is a usage error."""
        return endpoint(self.base_url)

    def client(self) -> AsyncClient:
        """The client for them; a URL that is none is a usage error."""
        url = self.endpoint().base_url
        return AsyncClient(url, timeout=Timeout(response=self.timeout), max_retries=self.retries)


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a subcommand the options, which it takes together as `options`."""

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> Any:
        named = {field.name: arguments.pop(field.name) for field in fields(FileOptions)}
        return command(options=FileOptions(**named), **arguments)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
