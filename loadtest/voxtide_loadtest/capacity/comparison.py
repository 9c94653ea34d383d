"""Two results side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .result import FORMAT, streams


def comparison(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The object of a comparison: both results, and how many times as much the first carries.

    The spread is what the trials leave open: the limit of each is at least `sessions` and below
    the greatest `next` of its searches. It is not a confidence interval of the ratio; each result
    has its own statement.
    """
    ratio = _ratio(one["capacity"], other["capacity"])
    return {
        "format": FORMAT,
        "kind": "comparison",
        "statement": _statement(one, other, ratio),
        "ratio": ratio,
        "servers": [dict(one), dict(other)],
    }


def _ratio(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float | None]:
    """`sessions` by `sessions`, and its least and greatest value; null where there is none."""
    least, most = _limits(one)
    other_least, other_most = _limits(other)
    return {
        "sessions": _over(least, other_least),
        "low": _over(least, other_most),
        "high": _over(most, other_least),
    }


def _limits(capacity: Mapping[str, Any]) -> tuple[int, int | None]:
    """The least and the greatest number of streams that may be the limit; None: without end."""
    searches = capacity["searches"]
    known = all(found["limited_by"] == "slo" for found in searches)
    return capacity["sessions"], max(found["next"] for found in searches) - 1 if known else None


def _over(above: int | None, below: int | None) -> float | None:
    return round(above / below, 4) if above is not None and below else None


def _statement(
    one: Mapping[str, Any], other: Mapping[str, Any], ratio: Mapping[str, float | None]
) -> str:
    carried = " and ".join(
        f"{found['server']['name']} carries {streams(found['capacity']['sessions'])}"
        for found in (one, other)
    )
    if ratio["sessions"] is None:
        return f"{carried}."
    low, high = ratio["low"], ratio["high"]
    match low, high:
        case None, None:
            open_ = "neither limit was reached, so this says little"
        case None, _:
            open_ = f"at most {high:.2f}, since the second one's limit was not reached"
        case _, None:
            open_ = f"at least {low:.2f}, since the first one's limit was not reached"
        case _ if low == high:
            open_ = "to the stream"
        case _:
            open_ = f"between {low:.2f} and {high:.2f} by what was tried"
    return f"{carried}: {ratio['sessions']:.2f} times as many ({open_})."
