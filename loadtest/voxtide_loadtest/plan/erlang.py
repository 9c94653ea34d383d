"""Erlang's formulas for many servers and Poisson arrivals.

A server is a place for one session; the offered load, in erlangs, is the mean number of sessions
that would be open if nobody were refused: arrival rate times mean length.

- Erlang B (`erlang_b`): nobody waits, who finds all places taken is refused. M/G/c/c: exact for
  any distribution of lengths with this mean (Sevastyanov 1957).
- Erlang C (`erlang_c`, `mean_wait`): nobody is refused, who finds all places taken waits, first
  come, first served. M/M/c: exact for exponential lengths.

Source of both: A. K. Erlang, "Solution of some problems in the theory of probabilities of
significance in automatic telephone exchanges", 1917; as in V. B. Iversen, "Teletraffic
Engineering and Network Planning", DTU, on loss systems and on delay systems.
"""

import math
from bisect import bisect_left

import numpy as np

_CHUNK = 4096
_NOTHING = 1e-18  # a term that a float of the sum does not feel


def erlang_b(servers: int, erlangs: float) -> float:
    """Probability that a caller is refused.

    Args:
        servers: places, 0 or more.
        erlangs: offered load, 0 or more.

    Returns:
        0 to 1; 0.0 also where it is less than a float can hold (1e-308).

    Raises:
        ValueError: servers or erlangs is below 0 or not finite.

    The recursion 1/B(n) = 1 + n/a * 1/B(n-1), written out from the top:
    1/B(c) = 1 + c/a + c(c-1)/a² + ... All terms are positive, so nothing cancels, and all that
    count are some ten times sqrt(a): a million servers take as long as a few thousand steps.
    """
    _check(servers, erlangs)
    if erlangs == 0:
        return 0.0 if servers else 1.0
    total = last = 1.0
    with np.errstate(over="ignore"):
        for start in range(0, servers, _CHUNK):
            left = servers - np.arange(start, min(start + _CHUNK, servers))
            terms = last * np.cumprod(left / erlangs)
            total += float(terms.sum())
            last = float(terms[-1])
            if last < total * _NOTHING or math.isinf(total):
                break
    return 1.0 / total


def erlang_c(servers: int, erlangs: float) -> float:
    """Probability that a caller has to wait; 1.0 where the load is more than the servers carry.

    C = c B / (c - a (1 - B)). Arguments and errors as of `erlang_b`.
    """
    _check(servers, erlangs)
    if erlangs >= servers:
        return 1.0
    refused = erlang_b(servers, erlangs)
    return servers * refused / (servers - erlangs * (1.0 - refused))


def mean_wait(servers: int, erlangs: float, mean_length: float) -> float:
    """Mean wait of all callers, those that need not wait included, in the unit of `mean_length`.

    W = C * h / (c - a); infinite where the load is more than the servers
    carry. Arguments and errors as of `erlang_b`.
    """
    if erlangs >= servers:
        _check(servers, erlangs)
        return math.inf
    return erlang_c(servers, erlangs) * mean_length / (servers - erlangs)


def fewest_servers(erlangs: float, blocking: float) -> int:
    """Fewest servers that refuse at most a share of the callers.

    Args:
        erlangs: offered load, 0 or more.
        blocking: share that may be refused, more than 0 and less than 1.

    Raises:
        ValueError: an argument is out of its range.
    """
    _check(0, erlangs)
    _check_blocking(blocking)
    # What gets in needs places: a (1 - p) of them at least.
    least = most = math.floor(erlangs * (1.0 - blocking))
    step = math.isqrt(most) + 1
    while erlang_b(most, erlangs) > blocking:
        most += step
        step *= 2
    enough = bisect_left(range(least, most), True, key=lambda c: erlang_b(c, erlangs) <= blocking)
    return least + enough


def most_erlangs(servers: int, blocking: float) -> float:
    """Greatest offered load of which at most a share is refused: the inverse of `erlang_b`.

    Args:
        servers: places, 0 or more.
        blocking: share that may be refused, more than 0 and less than 1.

    Raises:
        ValueError: an argument is out of its range.
    """
    _check(servers, 0.0)
    _check_blocking(blocking)
    # Of a / (1 - p) erlangs, c can never carry more than c.
    low, high = 0.0, servers / (1.0 - blocking)
    while (middle := (low + high) / 2) not in (low, high):
        if erlang_b(servers, middle) <= blocking:
            low = middle
        else:
            high = middle
    return low


def _check(servers: int, erlangs: float) -> None:
    if servers < 0:
        raise ValueError(f"servers must be 0 or more, not {servers}")
    if not (erlangs >= 0 and math.isfinite(erlangs)):
        raise ValueError(f"erlangs must be 0 or more, not {erlangs}")


def _check_blocking(blocking: float) -> None:
    if not 0 < blocking < 1:
        raise ValueError(f"blocking must be more than 0 and less than 1, not {blocking}")
