"""What a number of passed trials says about the share that would pass.

A candidate is accepted if `passes` of at most `trials` new trials pass, and no more are run once
that is decided. The bound is the one-sided Clopper-Pearson limit (Clopper and Pearson, Biometrika
26, 1934, 404-413): the share p for which P(Binomial(trials, p) >= passes) equals the permitted
error. It holds for the rule, whether or not the last trials were run: they could not have changed
its outcome.

A search may try several candidates, and each has a chance to be accepted wrongly. The j-th one is
therefore granted an error of only e / (j (j + 1)); those add up to e at most, so the statement
holds for the candidate that is reported, however many came before it.

It is claimed: a level of streams of which less than the bound's share of such trials would keep the
SLO is reported with a probability of `ERROR` at most. (So it is of the lowest of several searches:
the others would have to be wrong too, if more streams are never easier.) It is not claimed that one
stream more would be too many (only that a trial with as many as `Found.next` was not good enough),
nor anything about other hours, machines or mixes of speech. Trials are taken as independent: a
neighbour who is busy during all of them is not seen.
"""

from __future__ import annotations

from math import comb

ERROR = 0.05
"""Of the statement, in all."""


def spent(candidate: int, error: float = ERROR) -> float:
    """The error that the j-th candidate (from 1 on) is granted."""
    return error / (candidate * (candidate + 1))


def at_least(passes: int, trials: int, share: float) -> float:
    """Probability that so many of the trials pass, or more, if each does with `share`."""
    return sum(
        comb(trials, number) * share**number * (1 - share) ** (trials - number)
        for number in range(passes, trials + 1)
    )


def least_share(passes: int, trials: int, error: float) -> float:
    """The greatest share, 0 to 1, that so many passed trials rule out by that error."""
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if at_least(passes, trials, middle) > error:
            high = middle
        else:
            low = middle
    return low
