"""`voxtide serve` and `voxtide drain`: the server's own, if it is installed."""

import importlib
from collections.abc import Callable
from typing import Any

import click

from .exits import Failure

_UNTOUCHED: dict[str, Any] = {
    "add_help_option": False,
    "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False},
}


@click.command("serve", **_UNTOUCHED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Serve a model (see `voxtide serve --help`)."""
    ctx.exit(_main_of("voxtide_server.launcher")(list(arguments)))


@click.command("drain", **_UNTOUCHED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def drain(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """End a server on this machine in good order (see `voxtide drain --help`)."""
    ctx.exit(_main_of("voxtide_server.drain")(list(arguments)))


def _main_of(name: str) -> Callable[[list[str]], int]:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name not in (name, "voxtide_server"):
            raise
        raise Failure("the server is not part of this installation (no voxtide_server)") from None
    main: Callable[[list[str]], int] = module.main
    return main
