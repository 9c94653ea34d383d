"""Plots of a capacity report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from ..report import style
from . import timeline as data
from .slo import LAG, WORD

Found = Mapping[str, Any]
_COLOURS = (style.ONE, style.TWO)
_HIGHEST = 4
"""Times the limit: a trial far beyond it would flatten all others."""
_MARKS = {"passed": "o", "failed": "x", "void": "+"}


def latency(results: Sequence[Found]) -> str:
    """p95 of word latency of each trial against its streams, with the SLO."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for found, colour in zip(results, _COLOURS, strict=False):
            _trials(axes, found, colour)
        limits = [trial["limit_ms"] for found in results for trial in found["trials"]]
        for limit in sorted(set(limits)):
            axes.axhline(limit, linestyle="--", color=style.BAD, label=f"SLO, {limit:.0f} ms")
        axes.set_xlabel("live streams")
        axes.set_ylabel("p95 of word latency, ms")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside upper left", ncols=3)

    said = "; ".join(
        f"{found['server']['name']} holds it up to {found['capacity']['sessions']} streams"
        for found in results
    )
    return style.plot(draw, f"Word latency against streams, with the limit of the SLO: {said}.")


def _trials(axes: Axes, found: Found, colour: str) -> None:
    name = found["server"]["name"]
    for outcome, mark in _MARKS.items():
        points = [
            (
                trial["streams"],
                min(trial["figures"]["times_ms"][WORD]["p95"], _HIGHEST * trial["limit_ms"]),
            )
            for trial in found["trials"]
            if trial["outcome"] == outcome and trial["figures"]["times_ms"][WORD]["n"]
        ]
        if points:
            at, values = zip(*points, strict=True)
            axes.plot(at, values, mark, color=colour, label=f"{name}: {outcome}")
    if found["capacity"]["sessions"]:
        axes.axvline(found["capacity"]["sessions"], linestyle=":", color=colour)


def course(found: Found, minutes: float) -> str:
    """All over one time: streams, words, lag, and what /metrics had.

    Args:
        minutes: length of the time axis.
    """
    panels = [panel for panel in _PANELS if panel[1](found)]

    def draw(figure: Figure) -> None:
        rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (title, _, paint) in zip(rows, panels, strict=True):
            paint(axes, found)
            axes.set_title(title, fontsize=11)
        rows[-1].set_xlim(0, minutes)
        rows[-1].set_xlabel("minutes since the run began")

    titles = ", ".join(title for title, _, _ in panels)
    label = f"Over the run against {found['server']['name']}, on one time axis: {titles}."
    return style.plot(draw, label, height=1.8 * len(panels))


def _streams(axes: Axes, found: Found) -> None:
    axes.step(*data.streams(found), where="post", color=style.ONE)
    axes.axhline(found["capacity"]["sessions"], linestyle=":", color=style.SOFT)
    axes.set_ylim(bottom=0)


def _words(axes: Axes, found: Found) -> None:
    edges = data.EDGES_MS
    cells = data.heat(found)
    boxes = [
        Rectangle((at, edges[row]), width, edges[row + 1] - edges[row])
        for at, width, row, _ in cells
    ]
    # The square root lets the few slow words be seen beside the many.
    shades = [to_rgba(style.ONE, share**0.5) for _, _, _, share in cells]
    axes.add_collection(PatchCollection(boxes, facecolors=shades, edgecolors="none"))
    axes.set_yscale("log", base=2)
    axes.set_ylim(edges[0], edges[-1])
    ticks = (100, 400, 1600, 6400)
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    limits = [trial["limit_ms"] for trial in found["trials"]]
    axes.axhline(max(limits), linestyle="--", linewidth=1, color=style.BAD)


def _lag(axes: Axes, found: Found) -> None:
    axes.plot(*data.over_time(found, LAG, "p99"), color=style.ONE)
    axes.axhline(found["slo"]["lag_ms"], linestyle="--", linewidth=1, color=style.BAD)
    axes.set_ylim(bottom=0)


def _line(points: Callable[[Found], data.Points], scale: float = 1.0) -> Callable[..., None]:
    def paint(axes: Axes, found: Found) -> None:
        at, values = points(found)
        axes.plot(at, [value * scale for value in values], color=style.ONE, linewidth=1)
        axes.set_ylim(bottom=0)

    return paint


def _has(name: str) -> Callable[[Found], bool]:
    return lambda found: len(data.sampled(found, name)[0]) > 1


_PANELS: tuple[tuple[str, Callable[[Found], bool], Callable[..., None]], ...] = (
    ("live streams", lambda found: True, _streams),
    ("word latency, ms: the darker, the more words", lambda found: True, _words),
    ("p99 of transcript lag, ms", lambda found: True, _lag),
    ("CPU, cores", _has("cpu_seconds"), _line(lambda found: data.rates(found, "cpu_seconds"))),
    (
        "KV cache in use, %",
        _has("kv_cache_share"),
        _line(lambda found: data.sampled(found, "kv_cache_share"), 100),
    ),
    ("from one step of the engine to the next, ms", _has("engine_steps"), _line(data.step_ms)),
)
"""Title, whether there is something to show, and how."""
