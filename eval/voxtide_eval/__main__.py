"""`python -m voxtide_eval`."""

from .command import main

main(prog_name="python -m voxtide_eval")
