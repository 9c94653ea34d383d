"""Figures as people read them."""

import math


def clock(seconds: float) -> str:
    """Time of day, HH:MM."""
    minutes = round(seconds / 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def count(number: float) -> str:
    """A number of things, with thousands set off."""
    return f"{number:,.0f}"


def share(value: float) -> str:
    """A share as per cent, down to one in a million."""
    if 0 < value < 1e-6:
        return "≈ 0 %"
    return f"{value * 100:.3g} %"


def span(seconds: float) -> str:
    """A time, in the unit that suits it."""
    if math.isinf(seconds):
        return "without end"
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2f} s" if seconds >= 0.005 else "0 s"


def money(amount: float) -> str:
    """An amount, in whatever currency."""
    return f"{amount:,.2f}" if abs(amount) < 1000 else f"{amount:,.0f}"
