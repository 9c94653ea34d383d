"""How many streams there are at a time: load shapes, given by one option.

| --shape | streams, up to the number of `--users` |
|---|---|
| constant | all, at the spawn rate |
| step:STEPS,SECONDS | a step more every so many seconds |
| ramp:SECONDS | from none to all in so long |
| soak:RAMP,SECONDS | the same, then held for so long |
| spike:BASE,AT,SECONDS | BASE per cent; all of them from AT on, for so many seconds |
| diurnal:LOW,DAY | a day of DAY seconds: LOW per cent at night, all at noon (a cosine) |

A shape ends the run where it has an end (step: after its last step; soak); `--run-time` ends any.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_ARITY = {"constant": 0, "step": 2, "ramp": 1, "soak": 2, "spike": 3, "diurnal": 2}


@dataclass(frozen=True, slots=True)
class Profile:
    """A load shape; kind and parameters are those of the table above."""

    kind: str = "constant"
    parameters: tuple[float, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Profile:
        """From KIND or KIND:NUMBER[,NUMBER…].

        Raises:
            ValueError: it is none of the table.
        """
        kind, _, values = text.partition(":")
        try:
            parameters = tuple(float(value) for value in values.split(",")) if values else ()
        except ValueError:
            parameters = (math.nan,)
        positive = all(math.isfinite(value) and value > 0 for value in parameters)
        if len(parameters) != _ARITY.get(kind) or not positive:
            raise ValueError(
                f"{text!r} is not constant, step:STEPS,SECONDS, ramp:SECONDS, soak:RAMP,SECONDS, "
                "spike:BASE,AT,SECONDS or diurnal:LOW,DAY with numbers above 0"
            )
        return cls(kind, parameters)

    def streams(self, seconds: float, most: int) -> int | None:
        """How many there are after so long, from 0 to `most`; None when the run is over."""
        share = self._share(seconds)
        return None if share is None else min(most, round(share * most))

    def _share(self, seconds: float) -> float | None:
        match self.kind, self.parameters:
            case "step", (steps, each):
                step = int(seconds // each)
                return (step + 1) / steps if step < steps else None
            case "ramp", (over,):
                return min(1.0, seconds / over)
            case "soak", (ramp, hold):
                return min(1.0, seconds / ramp) if seconds < ramp + hold else None
            case "spike", (base, at, lasts):
                return 1.0 if at <= seconds < at + lasts else base / 100
            case "diurnal", (low, day):
                noon = (1 - math.cos(2 * math.pi * seconds / day)) / 2
                return low / 100 + (1 - low / 100) * noon
        return 1.0
