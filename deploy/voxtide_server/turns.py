"""The turns of a session, and the engine streams that their audio goes through."""

from __future__ import annotations

from dataclasses import dataclass, field

from .audio import Framer
from .engine import FRAME_S, FRAME_SAMPLES
from .events import Event
from .transcript import Transcript

RUT_S = 8.0
"""Blanks over clear speech after which a leg is in a rut. A second more audio is held."""
FRAMES_PER_RUT = round(RUT_S / FRAME_S)


@dataclass(slots=True)
class Leg:
    """One engine stream of a turn; `base` is the position of its first sample, `blanks`
    the length of the run of blanks that it is in."""

    stream: str
    base: int
    framer: Framer
    fed: int = 0
    heard: int = 0
    blanks: int = 0

    def position(self, back: int = 0) -> int:
        """Of the audio that its last token told of, `back` frames earlier."""
        return self.base + max(0, self.heard - back) * FRAME_SAMPLES


@dataclass(slots=True)
class Turn:
    """One turn: its transcript, its leg, and the events that wait for its turn.

    Without a leg, `begin` is the position from which the next one has to hear.
    `furthest` is the position that has been heard so far, `losses` counts the legs
    lost since, `patience` the blanks until it is looked again for a rut. `silent` frames
    at its end are known to hold no speech. `logprobs` says whether those are wanted.
    """

    id: str
    begin: int
    transcript: Transcript
    start: int = 0
    leg: Leg | None = None
    legs: int = 0
    end: int | None = None
    silent: int = 0
    logprobs: bool = False
    tokens: int = 0
    furthest: int = 0
    losses: int = 0
    patience: int = FRAMES_PER_RUT
    started: bool = False
    final: bool = False
    waiting: list[Event] = field(default_factory=list)
