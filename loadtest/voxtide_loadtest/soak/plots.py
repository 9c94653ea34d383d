"""Plots of a soak: what happened over time, with the faults marked."""

from __future__ import annotations

from itertools import cycle, groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..report import style
from .output import lag_over_time
from .run import Result

_LINES = ((style.ONE, "-"), (style.TWO, "--"), (style.THREE, "-."))


def lag(result: Result) -> str:
    """The greatest lag over time."""
    over_time = lag_over_time(result)
    most = max((most for _, most in over_time), default=0.0)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot([at for at, _ in over_time], [most for _, most in over_time], color=style.ONE)
        axes.set_ylabel("s")
        _faults(axes, result)
        axes.set_ylim(0, max(1.0, 1.1 * most))

    return style.plot(draw, f"The transcript lag over time; the greatest was {most:.1f} s.")


def memory(result: Result) -> str:
    """Resident memory of each server over time; a line for each of its lives."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for line, (name, samples) in zip(cycle(_LINES), result.samples.items(), strict=False):
            colour, stroke = line
            label: str | None = name
            for _, life in groupby(samples, key=lambda one: one.pid):
                points = [(one.at_s, one.rss_mb) for one in life]
                axes.plot(*zip(*points, strict=True), stroke, color=colour, label=label)
                label = None
        axes.set_ylabel("MB")
        _faults(axes, result)
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside upper left", ncols=3)

    names = " and ".join(result.samples)
    return style.plot(draw, f"Resident memory of {names} over time.")


def _faults(axes: Axes, result: Result) -> None:
    """A line where each fault begins; names above, as far as there is room."""
    roomy = len(result.happened) <= 30
    for fault in result.happened:
        axes.axvline(fault.began_s, color=style.BAD, linewidth=0.8, linestyle=":")
        if roomy:
            axes.text(
                fault.began_s, 1.0, fault.name, rotation=90, va="top", ha="right", fontsize=8,
                color=style.SOFT, transform=axes.get_xaxis_transform(),
            )  # fmt: skip
    axes.set_xlim(0, max(result.duration_s, 1.0))
    axes.set_xlabel("s")
