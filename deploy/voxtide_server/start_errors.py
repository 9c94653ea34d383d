"""Why `voxtide serve` does not start, or stopped by itself.

    StartError
    ├── UsageError        the command line is wrong
    ├── CheckpointError   the model's files are not there, or are not what they should be
    ├── MachineError      this machine cannot run it: vLLM, GPU, address
    └── EngineEnded       vLLM ended although nobody asked it to

Each one's text is a single line for the person who typed the command.
"""

from __future__ import annotations


class StartError(Exception):
    """The server cannot run.

    Attributes:
        exit_code: what the process exits with: 1 to 255.
    """

    exit_code = 1


class UsageError(StartError):
    """A flag or its value is wrong."""

    exit_code = 2


class CheckpointError(StartError):
    """A checkpoint cannot be found or read."""


class MachineError(StartError):
    """Something that the server needs is not on this machine, or is taken."""


class EngineEnded(StartError):
    """vLLM ended by itself.

    Args:
        message: one line.
        exit_code: vLLM's own exit code; 128 + n where signal n ended it. An
            end that nobody asked for is a failure even where vLLM says 0.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code or 1
