"""What a person does with a session: a script of steps, drawn from distributions."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .corpus import FRAME_S, Clip

_ARITY = {"fixed": 1, "exponential": 1, "uniform": 2, "lognormal": 2}


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of a time in seconds.

    Attributes:
        kind: fixed (the value), exponential (mean), uniform (least, most) or lognormal (median,
            standard deviation of the logarithm).
        parameters: as named there, not negative.
    """

    kind: str
    parameters: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> Distribution:
        """From KIND:NUMBER[,NUMBER], such as "lognormal:180,0.8"; a number alone is fixed.

        Raises:
            ValueError: it is none of these.
        """
        kind, _, values = text.rpartition(":")
        kind = kind or "fixed"
        try:
            parameters = tuple(float(value) for value in values.split(","))
        except ValueError:
            parameters = ()
        right = all(math.isfinite(value) and value >= 0 for value in parameters)
        if len(parameters) != _ARITY.get(kind) or not right:
            kinds = "fixed:S, uniform:S,S, exponential:S or lognormal:S,SIGMA"
            raise ValueError(f"{text!r} is not {kinds}")
        return cls(kind, parameters)

    def draw(self, rng: random.Random) -> float:
        """A time in seconds, not negative."""
        first, last = self.parameters[0], self.parameters[-1]
        match self.kind:
            case "exponential":
                return rng.expovariate(1 / first) if first else 0.0
            case "uniform":
                return rng.uniform(first, last)
            case "lognormal":
                return first * math.exp(rng.gauss(0.0, last))
        return first


@dataclass(frozen=True, slots=True)
class Say:
    """Say `frames` frames of a clip (None: all of it), and end the turn if `commit`."""

    clip: Clip
    frames: int | None = None
    commit: bool = True


@dataclass(frozen=True, slots=True)
class Silence:
    """Say nothing for so long; the microphone sends silence, or nothing if it is muted."""

    seconds: float
    muted: bool


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Cut the connection without a word, and come back after so many seconds."""

    away: float


Step: TypeAlias = Say | Silence | Disconnect
_NOTHING = Distribution("fixed", (0.0,))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What people do.

    Attributes:
        session: how long a session lasts; it ends with the clip that goes on at that time.
        pause: silence between two turns of a session.
        rest: time between two sessions.
        muted: whether nothing is sent in a pause.
        barge_in: share of turns, 0 to 1, that are committed somewhere in the middle of the clip,
            whose rest is not said.
        disconnect: share of turns, 0 to 1, in whose middle the connection is cut.
        away: for how long.
    """

    session: Distribution = field(default_factory=lambda: Distribution("fixed", (60.0,)))
    pause: Distribution = _NOTHING
    rest: Distribution = _NOTHING
    muted: bool = False
    barge_in: float = 0.0
    disconnect: float = 0.0
    away: Distribution = _NOTHING

    def __post_init__(self) -> None:
        for name in ("barge_in", "disconnect"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is not a share from 0 to 1: {getattr(self, name)}")

    def script(self, clips: Sequence[Clip], rate: int, rng: random.Random) -> Iterator[Step]:
        """The steps of one session."""
        left = self.session.draw(rng)
        while True:
            clip = rng.choice(clips)
            step, cut = self._turn(clip, len(clip.frames(rate)), rng)
            yield step
            if cut:
                yield Disconnect(self.away.draw(rng))
            pause = self.pause.draw(rng)
            left -= (step.frames or len(clip.frames(rate))) * FRAME_S + pause
            if left <= 0:
                return
            if pause:
                yield Silence(pause, self.muted)

    def _turn(self, clip: Clip, frames: int, rng: random.Random) -> tuple[Say, bool]:
        """A turn, and whether the connection is cut in it."""
        if rng.random() < self.disconnect:
            return Say(clip, rng.randint(1, frames), commit=False), True
        if rng.random() < self.barge_in:
            return Say(clip, rng.randint(1, frames)), False
        return Say(clip), False
