"""Load test and capacity planning for live speech-to-text: `python -m voxtide_loadtest --help`."""

from voxtide import __version__

__all__ = ["__version__"]
