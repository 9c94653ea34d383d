"""How figures are written. What is not known is a dash."""

from __future__ import annotations

from ..scoring.intervals import Interval

NOTHING = "–"


def percent(rate: float | None) -> str:
    """A rate from 0 on, in percent with two decimals."""
    return NOTHING if rate is None else f"{rate * 100:.2f}"


def percent_interval(rate: Interval | None) -> str:
    """A rate and its interval, in percent."""
    return NOTHING if rate is None else f"{percent(rate.low)} to {percent(rate.high)}"


def signed(points: float) -> str:
    """A difference of rates, in percentage points."""
    return f"{points * 100:+.2f}"


def ms(seconds: float | None) -> str:
    """Seconds in whole milliseconds."""
    return NOTHING if seconds is None else f"{seconds * 1000:,.0f}"


def ms_interval(seconds: Interval | None) -> str:
    """An interval in whole milliseconds."""
    return NOTHING if seconds is None else f"{ms(seconds.low)} to {ms(seconds.high)}"


def count(number: int) -> str:
    """A whole number."""
    return f"{number:,}"


def minutes(number: float) -> str:
    """Minutes with one decimal."""
    return f"{number:,.1f}"


def delay(milliseconds: int | None) -> str:
    """Of a model."""
    return NOTHING if milliseconds is None else f"{milliseconds} ms"
