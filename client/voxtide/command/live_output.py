"""What the live commands print: lines for people and pipes, JSON for machines."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol, Self

import click

from ..events import Event, Final, ServerError
from .live_text import LiveText


class LiveOutput(Protocol):
    """Is entered when the session begins, takes each event, and is left when all is over.

    Leaving it prints what was said of a turn that has not become final.
    """

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def take(self, event: Event, position: float) -> None:
        """Show an event; `position` is how much audio has been fed, in seconds."""
        ...


class Lines:
    """Each turn a line, once it is final."""

    def __init__(self) -> None:
        self._turn = LiveText()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._print(self._turn.text)

    def take(self, event: Event, position: float) -> None:
        """Print the turn that an event ends."""
        match event:
            case Final(text=text):
                self._print(text)
            case ServerError(turn=turn, message=message):
                self._print(self._turn.text if turn is not None else "")
                click.echo(f"Error: {message}", err=True)
        self._turn.take(event)

    def _print(self, text: str) -> None:
        if text.strip():
            click.echo(text.strip())


class JsonLines:
    """Each event a JSON object on a line of its own: its fields, and its name as `event`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass  # every word has been told

    def take(self, event: Event, position: float) -> None:
        """Print an event."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
        click.echo(json.dumps({"event": name, **_plain(event)}, default=_plain))


def _plain(value: Any) -> dict[str, Any]:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not part of an event")
