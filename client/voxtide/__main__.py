"""`python -m voxtide` is the `voxtide` command."""

from .command import main

main(prog_name="voxtide")
