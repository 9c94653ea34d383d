"""The plan, simulated: a day, a rollout and a lost node at the busiest time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .course import Account, Course
from .pattern import DAY, Pattern
from .proposal import Plan
from .simulation import simulate

_AFTER_LOSS = 3600.0
_LONGEST_ROLLOUT = 6 * 3600.0


@dataclass(frozen=True)
class Rehearsal:
    """What the simulation gave.

    Attributes:
        accounts: by name: `day`, `rollout`, `lost node`.
        left_out: names of what would have been more sessions than allowed, with how many.
    """

    accounts: dict[str, Account]
    left_out: dict[str, int]


def rehearse(plan: Plan, most_sessions: int, seed: int) -> Rehearsal:
    """Simulate what finishes soon.

    Args:
        most_sessions: in one course; 0 simulates nothing.
        seed: of the random numbers.
    """
    accounts: dict[str, Account] = {}
    left_out: dict[str, int] = {}
    sizing = plan.sizing
    for name, course in _courses(plan):
        sessions = _expected(plan.pattern, course)
        if sessions > most_sessions:
            left_out[name] = sessions
        else:
            accounts[name] = simulate(plan.pattern, sizing.fleet, sizing.settings, course, seed)
    return Rehearsal(accounts, left_out)


def _courses(plan: Plan) -> Iterator[tuple[str, Course]]:
    settle = min(max(600.0, 5 * plan.pattern.lengths.mean), DAY)
    peak = float(plan.sizing.times[plan.sizing.peak])
    at_peak = Course(peak, peak + _AFTER_LOSS, settle)
    yield "day", Course(0.0, DAY, settle)
    if plan.rollout and plan.rollout.seconds <= _LONGEST_ROLLOUT:
        yield "rollout", replace(at_peak, end=peak + plan.rollout.seconds, rollout_at=peak)
    yield "lost node", replace(at_peak, node_lost_at=peak)


def _expected(pattern: Pattern, course: Course) -> int:
    minutes = np.arange(course.start - course.settle, course.end, 60.0)
    return round(float(pattern.rate(minutes).sum()) * 60)
