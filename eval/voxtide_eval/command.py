"""`python -m voxtide_eval`: one module for each command, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from voxtide.command.exits import ErrorHandlingGroup, Failure

from .datasets.error import DatasetError
from .inference.part import InUseError, OtherRunError
from .inference.server import ModelError
from .manifest import ManifestError
from .servers import ServerFailed

COMMANDS = ("run", "datasets", "score", "report", "compare", "gate", "reproduce")
"""In the order in which they are listed. Each is a module of `commands` with a `command` in it."""

_TOLD = (DatasetError, InUseError, ManifestError, ModelError, OSError, OtherRunError, ServerFailed)
"""What a user can mend: told in a line or two, without a traceback."""


class _Group(ErrorHandlingGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"{__package__}.commands.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever reads has seen enough
            raise
        except _TOLD as error:
            raise Failure(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="voxtide", message="%(version)s")
def main() -> None:
    """Accuracy against delay: run datasets through servers, score, report, compare."""
