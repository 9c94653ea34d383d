"""The one error of sources of audio."""


class SourceError(OSError):
    """Audio cannot be read or recorded, or not to its end; says why, and what to install."""
