"""`python -m voxtide_loadtest`: one subcommand for each thing to find out."""

import click

from . import __version__
from .capacity.command import capacity, compare
from .plan.command import command as plan
from .soak.command import command as soak


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def main() -> None:
    """How many people can speak at once, and what it takes."""


@click.command(
    "idle",
    # Its options are those of a session, which locust's parser (argparse) has too.
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def idle(arguments: tuple[str, ...]) -> None:
    """How a server answers when nobody else is there (--help for its options)."""
    from .idle import main  # brings gevent, which the others do without

    main(arguments)


for _command in (capacity, compare, idle, plan, soak):
    main.add_command(_command)

if __name__ == "__main__":
    main(prog_name="python -m voxtide_loadtest")
