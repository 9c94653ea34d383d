"""What the user gives as text or in files, checked where it comes in.

All raise ValueError with a sentence that names what is wrong and where.
"""

import json
import math
from pathlib import Path
from typing import Any

from .lengths import NAMED, Empirical, Lengths
from .proposal import Price

_MOST_PARTS = 720  # two minutes each: what sizing looks at


def capacity(text: str) -> int:
    """Sessions that a replica carries: a number, or a file {"capacity": {"sessions": N}}."""
    if text.isascii() and text.isdigit():
        sessions: Any = int(text)
        field = "the number of sessions"
    else:
        sessions = _field_of_report(text)
        field = f"capacity.sessions in {text}"
    if not isinstance(sessions, int) or isinstance(sessions, bool) or sessions < 1:
        raise ValueError(f"{field} must be a whole number of 1 or more, not {sessions!r}")
    return sessions


def lengths(text: str) -> Lengths:
    """A distribution: NAME:MEAN, lognormal:MEAN:VARIATION, or a file of lengths in seconds."""
    name, *figures = text.split(":")
    if name not in NAMED:
        return Empirical(tuple(_numbers(text, "lengths", zero=False)))
    shape = "lognormal:MEAN:VARIATION" if name == "lognormal" else f"{name}:MEAN"
    try:
        numbers = [float(figure) for figure in figures]
    except ValueError:
        numbers = []
    if len(numbers) != shape.count(":") or not all(0 < one < math.inf for one in numbers):
        raise ValueError(f"{text!r} must be {shape}, with numbers of more than 0")
    return NAMED[name](*numbers)


def curve(text: str) -> tuple[float, ...]:
    """Relative rates of equal parts of a day: with commas, or in a file."""
    weights = _numbers(text, "weights", zero=True)
    if not 24 <= len(weights) <= _MOST_PARTS:
        raise ValueError(f"there must be 24 to {_MOST_PARTS} weights, not {len(weights)}")
    if not any(weights):
        raise ValueError("one of the weights at least must be more than 0")
    return tuple(weights)


def price(text: str) -> Price:
    """NAME=PRICE, of a GPU hour."""
    name, _, amount = text.rpartition("=")
    try:
        of_hour = float(amount)
    except ValueError:
        of_hour = math.nan
    if not name or not 0 <= of_hour < math.inf:
        raise ValueError(f"{text!r} must be NAME=PRICE, with a price of 0 or more")
    return Price(name, of_hour)


def _field_of_report(path: str) -> Any:
    try:
        return json.loads(_text(path))["capacity"]["sessions"]
    except json.JSONDecodeError as wrong:
        raise ValueError(f"{path} is not JSON: {wrong}") from None
    except (KeyError, TypeError):
        raise ValueError(f"{path} has no field capacity.sessions") from None


def _numbers(given: str, what: str, *, zero: bool) -> list[float]:
    """Numbers with commas, or a file of them: a JSON list, or lines, spaces and commas between."""
    inline = "," in given and not Path(given).exists()
    text = given if inline else _text(given)
    where = "" if inline else f" in {given}"
    words = text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
    if not words:
        raise ValueError(f"there are no {what}{where}")
    least = "0 or more" if zero else "more than 0"
    numbers = []
    for place, word in enumerate(words, 1):
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf or (number == 0 and not zero):
            raise ValueError(f"number {place} of the {what}{where} must be {least}, not {word!r}")
        numbers.append(number)
    return numbers


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise ValueError(f"{path!r} cannot be read: {wrong}") from None
