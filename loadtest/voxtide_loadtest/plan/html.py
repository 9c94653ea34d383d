"""The plan as one page."""

from typing import Any

from ..report.page import Fact, code, details, figure, page, paragraph, section, table
from . import output, plots
from .figures import clock, count, money, share
from .proposal import Plan
from .rehearsal import Rehearsal
from .values import snippet


def html(plan: Plan, rehearsal: Rehearsal, chart: dict[str, Any]) -> str:
    """The page.

    Args:
        chart: values for the Helm chart.
    """
    made = output.tables(plan, rehearsal)
    tables = {it.title: table(it.title, it.headings, it.rows, it.note) for it in made}
    day = tables.pop("Over the day")
    day_account = rehearsal.accounts.get("day")
    note = output.left_out(rehearsal)
    return page(
        "How many replicas",
        _lead(plan),
        _facts(plan, rehearsal),
        [
            section(
                "Over the day",
                figure(plots.day(plan, day_account), "Room that is planned, and who needs it."),
                details("The day in figures", day),
            ),
            section(
                "How much is enough",
                figure(
                    plots.refusals(plan),
                    "Callers refused at the busiest time, by the number of replicas (Erlang B). "
                    "What is planned beyond enough is for nodes that are lost, for pods that are "
                    "still starting, and for the autoscaler's target.",
                ),
            ),
            section("All figures", *tables.values(), *([paragraph(note)] if note else [])),
            section("Values for the Helm chart", code(snippet(chart), "values.yaml")),
        ],
    )


def _lead(plan: Plan) -> str:
    sizing, busiest = plan.sizing, plan.busiest
    return (
        f"{count(plan.pattern.sessions_per_hour * 24)} sessions a day need {_replicas(plan)} "
        f"replicas that carry {count(sizing.fleet.sessions)} sessions each. At the busiest time, "
        f"{clock(busiest.start)}, {count(busiest.streams)} people are expected to speak at once, "
        f"and {share(busiest.blocking)} of the callers are refused."
    )


def _replicas(plan: Plan) -> str:
    fewest, most = int(plan.sizing.replicas.min()), int(plan.sizing.replicas.max())
    return count(most) if fewest == most else f"{count(fewest)} to {count(most)}"


def _facts(plan: Plan, rehearsal: Rehearsal) -> list[Fact]:
    goals = plan.sizing.goals
    facts = [
        Fact("Replicas", _replicas(plan), "over the day"),
        Fact("Streams at once", count(plan.busiest.streams), "at the busiest time"),
        Fact(
            "Callers refused",
            share(output.expected_refused(plan)),
            f"over the day, by the formula; the target is {share(goals.blocking)}",
        ),
        Fact("GPU hours a day", count(plan.gpu_hours), "autoscaled"),
    ]
    if "day" in rehearsal.accounts:
        simulated = rehearsal.accounts["day"]
        facts.insert(
            3, Fact("In the simulation", share(simulated.share_refused), "of the callers refused")
        )
    facts += [
        Fact(f"A month at {money(cost.price.gpu_hour)}", money(cost.month), cost.price.name)
        for cost in plan.costs
    ]
    return facts
