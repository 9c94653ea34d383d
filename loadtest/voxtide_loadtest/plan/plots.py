"""Plots of a plan."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ..report import style
from .course import Account
from .figures import clock, count, share
from .proposal import Plan
from .sizing import blocking

_LEAST_SHOWN = 1e-7


def day(plan: Plan, account: Account | None) -> str:
    """Streams and room for them over the day, and what the simulation of it had."""
    sizing, busiest = plan.sizing, plan.busiest
    sessions = sizing.fleet.sessions

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        hours = sizing.times / 3600
        if account:
            at = [sample.time / 3600 for sample in account.samples]
            room = [sample.ready * sessions for sample in account.samples]
            open_streams = [sample.streams for sample in account.samples]
            axes.plot(at, room, color=style.SOFT, linewidth=1, label="room, simulated")
            axes.plot(at, open_streams, color=style.THREE, linewidth=1, label="streams, simulated")
        room_planned = sizing.replicas * sessions
        axes.step(hours, room_planned, where="post", color=style.ONE, label="room, planned")
        least = sizing.required * sessions
        axes.step(hours, least, "--", where="post", color=style.BAD, label="room, required")
        axes.plot(hours, sizing.streams, "-.", color=style.TWO, label="streams, expected")
        _of_day(axes)
        axes.set_ylabel("sessions")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside upper left", ncols=3)

    label = (
        f"Over the day, room for sessions stays above the streams: at the busiest time, "
        f"{clock(busiest.start)}, there are {count(busiest.streams)} streams and room for "
        f"{count(busiest.replicas * sessions)}."
    )
    return style.plot(draw, label)


def refusals(plan: Plan) -> str:
    """How the share of refused callers falls with replicas, at the busiest time."""
    sizing, busiest = plan.sizing, plan.busiest
    fleet, most = sizing.fleet, sizing.goals.blocking
    spare = sizing.goals.spare_nodes * fleet.pods_on_node

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        wide = max(busiest.replicas, busiest.required)
        start = max(1, busiest.streams / fleet.sessions * 0.8)
        replicas = np.unique(np.linspace(start, wide * 1.05 + 1, 200).astype(int))
        shares = [blocking(int(number), fleet, busiest.streams) for number in replicas]
        shown = [max(one, _LEAST_SHOWN / 10) for one in shares]
        axes.plot(replicas, shown, "o-", markersize=3, color=style.ONE, label="refused")
        axes.axhline(most, linestyle="--", color=style.BAD, label=f"target, {share(most)}")
        axes.axvline(
            busiest.required - spare, linestyle=":", color=style.SOFT, label="enough for the target"
        )
        axes.axvline(busiest.replicas, linestyle="-.", color=style.TWO, label="planned")
        axes.set_yscale("log")
        axes.set_ylim(_LEAST_SHOWN, 1)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g} %"))
        axes.set_xlabel("replicas")
        axes.set_ylabel("callers refused")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        figure.legend(loc="outside upper left", ncols=4)

    label = (
        f"At the busiest time, {count(busiest.required - spare)} replicas keep the target of "
        f"{share(most)} refused callers; {count(busiest.replicas)} are planned."
    )
    return style.plot(draw, label, height=3.0)


def _of_day(axes: Axes) -> None:
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda hour, _: clock(hour * 3600)))
    axes.set_xlabel("time of day")
