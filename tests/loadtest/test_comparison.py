"""Two results side by side."""

from __future__ import annotations

from typing import Any

import pytest

from voxtide_loadtest.capacity.comparison import comparison


def found(name: str, sessions: int, limited_by: str, above: int | None) -> dict[str, Any]:
    search = {"sessions": sessions, "limited_by": limited_by, "next": above}
    return {"server": {"name": name}, "capacity": {**search, "searches": [search]}}


@pytest.mark.parametrize(
    ("one", "other", "ratio", "said"),
    [
        ((12, "slo", 13), (8, "slo", 9), (1.5, 1.5, 1.5), "1.50 times as many (to the stream)"),
        ((100, "slo", 106), (50, "slo", 53), (2.0, 1.9231, 2.1), "between 1.92 and 2.10"),
        ((100, "most", None), (50, "slo", 53), (2.0, 1.9231, None), "at least 1.92"),
        ((100, "slo", 106), (50, "generator", 53), (2.0, None, 2.1), "at most 2.10"),
        ((9, "most", None), (9, "most", None), (1.0, None, None), "neither limit"),
        (
            (9, "slo", 10),
            (0, "slo", 1),
            (None, None, None),
            "a carries 9 live streams and b carries 0 live streams.",
        ),
    ],
)
def test_the_ratio_and_what_the_trials_leave_open(
    one: tuple[int, str, int | None],
    other: tuple[int, str, int | None],
    ratio: tuple[float | None, ...],
    said: str,
) -> None:
    compared = comparison(found("a", *one), found("b", *other))
    assert tuple(compared["ratio"].values()) == ratio
    assert said in compared["statement"]


def test_the_ratio_is_as_open_as_several_searches_leave_it() -> None:
    one, other = found("a", 78, "slo", 80), found("b", 18, "slo", 19)
    one["capacity"]["searches"].append({"sessions": 84, "limited_by": "slo", "next": 88})
    assert comparison(one, other)["ratio"] == {"sessions": 4.3333, "low": 4.3333, "high": 4.8333}
    other["capacity"]["searches"].append({"sessions": 20, "limited_by": "most", "next": None})
    assert comparison(one, other)["ratio"]["low"] is None
