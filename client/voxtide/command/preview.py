"""The live preview in a terminal: final turns scroll away, the open one grows below them."""

from collections.abc import Callable
from typing import Self

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ..events import Event, Final, Partial, ServerError
from .live_text import LiveText

_LINES_OF_TURN = 5
_METER_CELLS = 20
_METER_FLOOR_DB = -60.0


class Preview:
    """Words of finished segments as they are, words that may still grow dimmed, and the lag.

    The transcript lag: how much of the audio that was fed lies after the last word that came.

    Args:
        console: Where to draw.
        level: How loud the source is, in dB below full scale; None draws no meter.
    """

    def __init__(self, console: Console, level: Callable[[], float] | None = None) -> None:
        self._console = console
        self._level = level
        self._turn = LiveText()
        self._lag: float | None = None
        self._live = Live(
            console=console,
            get_renderable=self._rendered,
            refresh_per_second=10,
            transient=True,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        self._print(self._turn.text)

    def take(self, event: Event, position: float) -> None:
        """Show an event."""
        match event:
            case Partial(end=float(end)):
                self._lag = max(0.0, position - end)
            case Final(text=text):
                self._print(text)
            case ServerError(turn=turn, message=message):
                self._print(self._turn.text if turn is not None else "")
                click.echo(f"Error: {message}", err=True)
        self._turn.take(event)

    def _print(self, text: str) -> None:
        if text.strip():
            self._console.print(Text(text.strip()))

    def _rendered(self) -> Group:
        return Group(self._open_turn(), self._status())

    def _open_turn(self) -> Text:
        """The end of the open turn, as much as fits in a few lines."""
        whole, settled = self._turn.text, self._turn.settled
        begin = max(0, len(whole) - _LINES_OF_TURN * self._console.width)
        begin += len(whole[begin:]) - len(whole[begin:].lstrip())
        return Text.assemble(whole[begin:settled], (whole[max(begin, settled) :], "dim"))

    def _status(self) -> Text:
        lag = "" if self._lag is None else f"lag {self._lag:.2f} s"
        return Text("  ".join(filter(None, (self._meter(), lag))), "cyan")

    def _meter(self) -> str:
        if self._level is None:
            return ""
        share = min(1.0, max(0.0, 1 - self._level() / _METER_FLOOR_DB))
        return ("█" * round(share * _METER_CELLS)).ljust(_METER_CELLS, "·")
