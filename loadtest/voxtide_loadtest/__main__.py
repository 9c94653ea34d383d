"""`python -m voxtide_loadtest`: one subcommand for each thing to find out."""

import click

from . import __version__
from .plan.command import command as plan
from .soak.command import command as soak


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def main() -> None:
    """How many people can speak at once, and what it takes."""


for _command in (plan, soak):
    main.add_command(_command)

if __name__ == "__main__":
    main(prog_name="python -m voxtide_loadtest")
