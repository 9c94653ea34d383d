"""Which trial comes next, and when it is enough: a pure step function.

`search` is a generator: it yields what to try, is sent how that went, and returns what it found.

1. Doubling from `start` until a level fails or `most` has passed; halving if `start` fails.
2. Bisection, until the lowest level that failed is within the tolerance of the best that passed.
   Here one passed trial is enough, and two failed ones are too many.
3. The best level is confirmed with new trials, `passes` of `trials`; earlier ones do not count,
   since the level was chosen by them. If it is not confirmed it is a level that failed, and the
   search goes on below it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .confidence import least_share, spent

Outcome: TypeAlias = Literal["passed", "failed", "void"]
Limit: TypeAlias = Literal["slo", "most", "generator"]
_Verdict: TypeAlias = Literal["passed", "slo", "generator"]
_FAILURES = 2
"""Trials that have to fail before a level that is not a candidate yet is given up."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to search.

    Attributes:
        start: streams of the first trial, 1 to `most`.
        most: streams that are never exceeded.
        tolerance: share, 0 or more, by which the next level may be above the best one; a step of
            one stream is always near enough.
        trials, passes: a candidate needs `passes` of `trials`.
        voids: trials of one level in a row whose generator was late, until it is the limit.
    """

    start: int = 1
    most: int = 1000
    tolerance: float = 0.05
    trials: int = 8
    passes: int = 7
    voids: int = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """A trial to run with so many streams."""

    streams: int
    purpose: Literal["search", "confirmation"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search ended with.

    Attributes:
        sessions: the most streams that were confirmed; 0 if not even one was.
        limited_by: "slo"; "most" if the highest permitted level was confirmed; "generator" if
            the next level could not be tried, because the generator was late.
        next: the lowest level above that was not good enough; None if there is none.
        passed, trials: of the confirmation, as far as it was run.
        candidates: levels whose confirmation was begun.
        least_share: of such trials that keep the SLO, 0 to 1 (see `confidence`).
    """

    sessions: int
    limited_by: Limit
    next: int | None
    passed: int
    trials: int
    candidates: int
    least_share: float


Search: TypeAlias = Generator[Ask, Outcome, Found]


def search(rules: Rules) -> Search:
    """Find the most streams. Trials that are void are asked for again."""
    good: list[int] = []  # levels that have passed, rising, all below the ceiling
    ceiling = rules.most + 1
    limit: Limit = "most"
    candidates = 0
    while True:
        best = good[-1] if good else 0
        level = _next(best, ceiling, rules)
        if level is not None:
            verdict = yield from _tried(level, rules)
            if verdict == "passed":
                good.append(level)
            else:
                ceiling, limit = level, verdict
            continue
        if not good:
            return Found(0, limit, ceiling, 0, 0, candidates, 0.0)
        candidates += 1
        verdict, passed, trials = yield from _confirmed(best, rules)
        if verdict == "passed":
            share = least_share(rules.passes, rules.trials, spent(candidates))
            above = None if limit == "most" else ceiling
            return Found(best, limit, above, passed, trials, candidates, share)
        ceiling, limit = good.pop(), verdict


def _next(best: int, ceiling: int, rules: Rules) -> int | None:
    """The level between the best and the lowest that failed; None if they are near enough."""
    if ceiling > rules.most:  # none has failed
        if best == rules.most:
            return None
        return min(2 * best, rules.most) if best else rules.start
    if ceiling - best <= max(1, int(rules.tolerance * best)):
        return None
    return (best + ceiling) // 2


def _tried(streams: int, rules: Rules) -> Generator[Ask, Outcome, _Verdict]:
    failures = voids = 0
    while True:
        outcome = yield Ask(streams, "search")
        if outcome == "passed":
            return "passed"
        voids = voids + 1 if outcome == "void" else 0
        failures += outcome == "failed"
        if failures == _FAILURES:
            return "slo"
        if voids == rules.voids:
            return "generator"


def _confirmed(streams: int, rules: Rules) -> Generator[Ask, Outcome, tuple[_Verdict, int, int]]:
    passed = failures = voids = 0
    while True:
        outcome = yield Ask(streams, "confirmation")
        voids = voids + 1 if outcome == "void" else 0
        passed += outcome == "passed"
        failures += outcome == "failed"
        if passed == rules.passes:
            return "passed", passed, passed + failures
        if failures > rules.trials - rules.passes:
            return "slo", passed, passed + failures
        if voids == rules.voids:
            return "generator", passed, passed + failures
