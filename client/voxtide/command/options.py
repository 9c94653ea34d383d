"""What the subcommands that talk to a server have in common."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..config import DEFAULT_BASE_URL, Endpoint
from ..sync import Client

_Command = TypeVar("_Command", bound=Callable[..., Any])


def base_url_option(otherwise: str = DEFAULT_BASE_URL) -> Callable[[_Command], _Command]:
    """The option --base-url; `otherwise` says what happens without it."""
    return click.option(
        "--base-url",
        metavar="URL",
        envvar="VOXTIDE_BASE_URL",
        help=f"The server, ending in /v1.  Default: $VOXTIDE_BASE_URL, else {otherwise}.",
    )


def client(base_url: str | None) -> Client:
    """The client for --base-url; a URL that is none is a usage error."""
    try:
        return Client(base_url)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--base-url") from wrong


def endpoint(base_url: str | None) -> Endpoint:
    """Where --base-url is; a URL that is none is a usage error."""
    try:
        return Endpoint.resolve(base_url, None)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--base-url") from wrong
