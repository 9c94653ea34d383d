"""Plots of a report. Points are what was measured; lines join them and say nothing between."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from voxtide_loadtest.report import style

from ..scoring import Score
from ..scoring.intervals import Interval
from .curves import Chart, Curve, Point
from .languages import PUBLISHED_MODEL, Bars

_COLOURS = (style.ONE, style.TWO, style.THREE)
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_STROKES = ("-", "--", "-.", ":")
_HATCHES = ("", "///", "...", "xxx")


def curve(chart: Chart) -> str:
    """Error rate against delay; systems without a delay stand to the right."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        delays = _delays(chart)
        right = (delays[-1] if delays else 240) * 1.7
        ours = sum(not one.published for one in chart.curves)
        for place, one in enumerate(chart.curves):
            # Points at one delay stand side by side, so that none hides another.
            aside = 1.0 if one.published else 1.03 ** (place - (ours - 1) / 2)
            _curve(axes, one, place, aside, right)
        apart = any(point.delay_ms is None for one in chart.curves for point in one.points)
        _delay_axis(axes, delays, right if apart else None)
        axes.set_ylabel(f"{chart.metric}, %")
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside lower left", ncols=2, fontsize=9.5)

    lines = (len(chart.curves) + 1) // 2
    return style.plot(draw, _said(chart), height=3.6 + 0.22 * lines)


def latency(title: str, series: dict[str, list[Score]]) -> str:
    """Latency of words against delay: the median with its interval, and the 95th percentile."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        delays = sorted({one.run.delay_ms or 0 for runs in series.values() for one in runs})
        for place, (label, runs) in enumerate(series.items()):
            at = [one.run.delay_ms or 0 for one in runs]
            colour, mark = _COLOURS[place % 3], _MARKS[place % 10]
            medians = [one.latency.median for one in runs if one.latency.median]
            _bars(axes, at, medians, 1000, color=colour, marker=mark, label=f"{label}: median")
            tops = [one.latency.p95 for one in runs if one.latency.p95]
            top = f"{label}: 95 %"
            _bars(axes, at, tops, 1000, color=colour, marker=mark, linestyle=":", label=top)
        axes.plot(delays, delays, "+-", color=style.SOFT, linewidth=1, label="the delay itself")
        _delay_axis(axes, delays, None)
        axes.set_ylabel("latency of words, ms")
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside lower left", ncols=2, fontsize=9.5)

    words = "; ".join(f"{label}: {_medians(runs)}" for label, runs in series.items())
    height = 3.6 + 0.22 * (len(series) + 1)
    return style.plot(draw, f"Latency of words against delay, {title}. {words}.", height=height)


def bars(made: Bars) -> str:
    """Error rates by language, one bar for each system, with intervals and what was published."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        wide = 0.8 / len(made.systems)
        for place, (label, rates) in enumerate(made.systems.items()):
            left = (place - (len(made.systems) - 1) / 2) * wide
            at = [made.languages.index(language) + left for language in rates]
            points = list(rates.values())
            colour, hatch = _COLOURS[place % 3], _HATCHES[place // 3 % 4]
            heights = [point.percent for point in points]
            axes.bar(at, heights, wide * 0.9, color=colour, hatch=hatch, label=label)
            axes.errorbar(
                at, heights, _reach(points), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=2
            )
            if said := made.published.get(label):
                places = [made.languages.index(language) + left for language in said]
                axes.plot(places, list(said.values()), "D", color=style.INK, markersize=5,
                          markerfacecolor="none")  # fmt: skip
        axes.plot([], [], "D", color=style.INK, markersize=5, markerfacecolor="none",
                  label="Voxtral Realtime at that delay, published")  # fmt: skip
        axes.set_xticks(range(len(made.languages)), made.languages)
        axes.grid(axis="x", visible=False)
        axes.set_ylabel("error rate, %")
        figure.legend(loc="outside lower left", ncols=2, fontsize=9.5)

    words = "; ".join(
        f"{label}: " + ", ".join(f"{name} {point.percent:.2f} %" for name, point in rates.items())
        for label, rates in made.systems.items()
    )
    return style.plot(draw, f"Error rates by language, {made.title}. {words}.", height=4.2)


def _curve(axes: Axes, one: Curve, place: int, aside: float, right: float) -> None:
    colour = _colour(one, place)
    mark = _MARKS[place % len(_MARKS)]
    with_delay = [point for point in one.points if point.delay_ms is not None]
    without = [point for point in one.points if point.delay_ms is None]
    stroke = ":" if one.published else _STROKES[place // 3 % len(_STROKES)]
    label: str | None = one.label
    for points, at in (
        (with_delay, [(point.delay_ms or 0) * aside for point in with_delay]),
        (without, [right * aside] * len(without)),
    ):
        if points:
            line = stroke if points is with_delay else "none"
            axes.errorbar(
                at,
                [point.percent for point in points],
                None if one.published else _reach(points),
                color=colour,
                marker=mark,
                markerfacecolor="none" if one.published else colour,
                linestyle=line,
                linewidth=1.2 if one.published else 2,
                capsize=3,
                elinewidth=1.2,
                label=label,
            )
            label = None


def _colour(one: Curve, place: int) -> str:
    if not one.published:
        return _COLOURS[place % len(_COLOURS)]
    return style.INK if one.label.startswith(PUBLISHED_MODEL) else style.SOFT


def _bars(
    axes: Axes, at: Sequence[int], found: Sequence[Interval], times: float, **looks: str
) -> None:
    points = [Point(None, one.value * times, one.low * times, one.high * times) for one in found]
    heights = [point.percent for point in points]
    axes.errorbar(at, heights, _reach(points), capsize=3, elinewidth=1.2, **looks)  # type: ignore[arg-type]


def _reach(points: Sequence[Point]) -> list[list[float]]:
    """How far intervals reach below and above."""
    return [
        [max(0.0, point.percent - point.low) for point in points],
        [max(0.0, point.high - point.percent) for point in points],
    ]


def _delay_axis(axes: Axes, delays: Sequence[int], right: float | None) -> None:
    axes.set_xscale("log")
    names = {float(one): f"{one:,}" for one in _apart(delays)}
    if right:
        names[right] = "none told"
        axes.axvline(right / 1.3, color=style.GRID)
    axes.set_xticks(list(names))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: names.get(at, "")))
    axes.set_xlabel("delay of the model, ms")


def _apart(delays: Sequence[int]) -> list[int]:
    """Delays whose names do not run into each other."""
    kept: list[int] = []
    for one in sorted(delays, key=lambda delay: delay not in (240, 480, 960, 2400)):
        if all(max(one, other) / max(1, min(one, other)) > 1.2 for other in kept):
            kept.append(one)
    return sorted(kept)


def _delays(chart: Chart) -> list[int]:
    found = {point.delay_ms for one in chart.curves for point in one.points}
    return sorted(delay for delay in found if delay is not None)


def _said(chart: Chart) -> str:
    ours = [one for one in chart.curves if not one.published]
    words = "; ".join(
        f"{one.label}: "
        + ", ".join(f"{p.percent:.2f} % at {p.delay_ms or 'no'} ms" for p in one.points)
        for one in ours
    )
    return f"{chart.metric} against delay, {chart.title}. {words}."


def _medians(runs: Sequence[Score]) -> str:
    return ", ".join(
        f"{one.latency.median.value * 1000:.0f} ms at {one.run.delay_ms} ms"
        for one in runs
        if one.latency.median
    )
