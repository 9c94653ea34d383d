"""`python -m voxtide_eval`: one subcommand for each step from a dataset to a report."""

from __future__ import annotations

import click

from .commands import compare, gate, report, score


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Accuracy against delay: run, score, compare."""


for _command in (score.command, compare.command, gate.command, report.command):
    main.add_command(_command)
