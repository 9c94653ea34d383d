"""What a session wants done: for a runner to carry out, in this order."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import Samples
from .events import Event


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Open an engine stream.

    Attributes:
        reason: a new turn, or why its stream is replaced: age, lost, rut, idle.
        logprobs: whether those of its tokens are wanted.
    """

    stream: str
    reason: str
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class FeedStream:
    """Feed the next window to a stream."""

    stream: str
    window: Samples


@dataclass(frozen=True, slots=True)
class CloseStream:
    """Close a stream; what it still says is not wanted."""

    stream: str


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell the client."""

    event: Event


Effect = OpenStream | FeedStream | CloseStream | Emit
