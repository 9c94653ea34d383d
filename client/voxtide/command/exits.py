"""Exit codes, and errors as one line instead of a traceback."""

import enum
from typing import Any

import click

from ..errors import UnreachableError, VoxtideError
from ..sources.error import SourceError


class ExitCode(enum.IntEnum):
    """What the command tells its caller."""

    OK = 0
    FAILED = 1
    USAGE = 2  # click's own
    UNREACHABLE = 3
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Failure(click.ClickException):
    """Ends the command with a message on stderr instead of a traceback."""

    exit_code = ExitCode.FAILED


class Unreachable(Failure):
    """The same, for a server that cannot be reached."""

    exit_code = ExitCode.UNREACHABLE


class ErrorHandlingGroup(click.Group):
    """A group whose subcommands may let errors of the library and Ctrl-C pass."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except UnreachableError as error:
            raise Unreachable(str(error)) from error
        except (VoxtideError, SourceError) as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt:
            ctx.exit(ExitCode.INTERRUPTED)
