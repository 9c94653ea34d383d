"""`voxtide completion`: what a shell needs to complete the command."""

import click
from click.shell_completion import get_completion_class

from .exits import Failure

_SHELLS = ("bash", "zsh", "fish")

_EPILOG = """\b
Examples:
  voxtide completion bash >> ~/.bashrc
  voxtide completion zsh >> ~/.zshrc
  voxtide completion fish > ~/.config/fish/completions/voxtide.fish
"""


@click.command("completion", epilog=_EPILOG)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands and options."""
    kind = get_completion_class(shell)
    if kind is None:
        raise Failure(f"click knows no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "voxtide", "_VOXTIDE_COMPLETE").source())
