"""`python -m voxtide_eval`."""

from .command import main

if __name__ == "__main__":
    main(prog_name="python -m voxtide_eval")
