"""`voxtide serve`: the server, if it is installed."""

import importlib
from collections.abc import Callable

import click

from .exits import Failure

_LAUNCHER = "voxtide_server.launcher"


@click.command(
    "serve",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Serve a model (see `voxtide serve --help`)."""
    ctx.exit(_launcher()(list(arguments)))


def _launcher() -> Callable[[list[str]], int]:
    try:
        module = importlib.import_module(_LAUNCHER)
    except ModuleNotFoundError as missing:
        if missing.name not in (_LAUNCHER, "voxtide_server"):
            raise
        raise Failure("the server is not part of this installation (no voxtide_server)") from None
    launch: Callable[[list[str]], int] = module.main
    return launch
