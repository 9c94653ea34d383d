"""What the user gives, checked where it comes in: types of the command's options."""

import json
import math
from pathlib import Path
from typing import Any

import click

from .lengths import NAMED, Empirical, Lengths
from .proposal import Price

_MOST_PARTS = 720  # two minutes each: what sizing looks at


class Capacity(click.ParamType):
    """Sessions that a replica carries: a number, or a file {"capacity": {"sessions": N}}."""

    name = "N|FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of sessions."""
        if isinstance(value, int):
            return value
        if value.isascii() and value.isdigit():
            sessions: Any = int(value)
            field = "the number of sessions"
        else:
            sessions = self._of_file(value, param, ctx)
            field = f"capacity.sessions in {value}"
        if not isinstance(sessions, int) or isinstance(sessions, bool) or sessions < 1:
            self.fail(f"{field} must be a whole number of 1 or more, not {sessions!r}", param, ctx)
        return sessions

    def _of_file(self, path: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            document = json.loads(_text(self, path, param, ctx))
        except json.JSONDecodeError as wrong:
            self.fail(f"{path} is not JSON: {wrong}", param, ctx)
        try:
            return document["capacity"]["sessions"]
        except (KeyError, TypeError):
            self.fail(f"{path} has no field capacity.sessions", param, ctx)


class LengthsOf(click.ParamType):
    """A distribution: NAME:MEAN, lognormal:MEAN:VARIATION, or a file of lengths in seconds."""

    name = "DISTRIBUTION|FILE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Lengths:
        """The distribution."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # click converts what it has converted
        name, *figures = value.split(":")
        if name not in NAMED:
            return Empirical(tuple(_numbers(self, value, "lengths", param, ctx)))
        wanted = 2 if name == "lognormal" else 1
        try:
            numbers = [float(figure) for figure in figures]
        except ValueError:
            numbers = []
        if len(numbers) != wanted or not all(0 < one < math.inf for one in numbers):
            shape = "lognormal:MEAN:VARIATION" if wanted == 2 else f"{name}:MEAN"
            self.fail(f"{value!r} must be {shape}, with numbers of more than 0", param, ctx)
        return NAMED[name](*numbers)


class Curve(click.ParamType):
    """Relative rates of equal parts of a day: with commas, or in a file."""

    name = "WEIGHTS|FILE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The weights."""
        if not isinstance(value, str):
            return tuple(value)
        weights = _numbers(self, value, "weights", param, ctx, zero=True)
        if not 24 <= len(weights) <= _MOST_PARTS:
            self.fail(f"there must be 24 to {_MOST_PARTS} weights, not {len(weights)}", param, ctx)
        if not any(weights):
            self.fail("one of the weights at least must be more than 0", param, ctx)
        return tuple(weights)


class PriceOf(click.ParamType):
    """NAME=PRICE: of a GPU hour."""

    name = "NAME=PRICE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Price:
        """The price."""
        if isinstance(value, Price):
            return value
        name, _, amount = value.rpartition("=")
        try:
            price = float(amount)
        except ValueError:
            price = math.nan
        if not name or not 0 <= price < math.inf:
            self.fail(f"{value!r} must be NAME=PRICE, with a price of 0 or more", param, ctx)
        return Price(name, price)


def _numbers(
    kind: click.ParamType,
    value: str,
    what: str,
    param: click.Parameter | None,
    ctx: click.Context | None,
    *,
    zero: bool = False,
) -> list[float]:
    """Numbers with commas, or one after the other in a file: a JSON list, or lines and commas."""
    as_list = "," in value and not Path(value).exists()
    text = value if as_list else _text(kind, value, param, ctx)
    where = "" if as_list else f" in {value}"
    words = text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
    numbers = []
    for place, word in enumerate(words, 1):
        try:
            number = float(word)
        except ValueError:
            kind.fail(f"number {place} of the {what}{where} is none: {word!r}", param, ctx)
        if not (0 <= number < math.inf if zero else 0 < number < math.inf):
            least = "0 or more" if zero else "more than 0"
            kind.fail(f"number {place} of the {what}{where} must be {least}: {word}", param, ctx)
        numbers.append(number)
    if not numbers:
        kind.fail(f"there are no {what}{where}", param, ctx)
    return numbers


def _text(
    kind: click.ParamType, path: str, param: click.Parameter | None, ctx: click.Context | None
) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        kind.fail(f"{path!r} cannot be read: {wrong}", param, ctx)
