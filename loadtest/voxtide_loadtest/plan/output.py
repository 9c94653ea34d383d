"""The plan as tables of text, which the terminal and the page show, and as JSON."""

import math
from dataclasses import asdict
from typing import Any

from ..terminal import Table
from .course import Account
from .figures import clock, count, money, share, span
from .proposal import Plan
from .rehearsal import Rehearsal


def tables(plan: Plan, rehearsal: Rehearsal) -> list[Table]:
    """All that the plan says, the most important first."""
    made = [_settings(plan), _day(plan), _spare(plan)]
    if plan.costs:
        made.append(_cost(plan))
    if rehearsal.accounts:
        made.append(_rehearsal(plan, rehearsal))
    return made


def left_out(rehearsal: Rehearsal) -> str:
    """What was not simulated, as a sentence; empty if everything was."""
    if not rehearsal.left_out:
        return ""
    parts = [f"{name} ({count(number)} sessions)" for name, number in rehearsal.left_out.items()]
    return (
        f"Not simulated, since it would take long: {', '.join(parts)}. "
        "The formulas hold at any size; --simulate-up-to raises the limit."
    )


def as_json(plan: Plan, rehearsal: Rehearsal, chart: dict[str, Any]) -> dict[str, Any]:
    """The plan for programs (docs/loadtest.md has the shape); infinite waits are null."""
    sizing = plan.sizing
    return {
        "fleet": asdict(sizing.fleet),
        "goals": asdict(sizing.goals),
        "settings": asdict(sizing.settings),
        "day": [_finite(asdict(part)) for part in plan.day],
        "rollout": asdict(plan.rollout) if plan.rollout else None,
        "lost_node": asdict(plan.lost_node),
        "gpu_hours": plan.gpu_hours,
        "costs": [_finite(asdict(cost)) for cost in plan.costs],
        "simulation": {
            "accounts": {name: _brief(it) for name, it in rehearsal.accounts.items()},
            "left_out": rehearsal.left_out,
        },
        "values": chart,
    }


def expected_refused(plan: Plan) -> float:
    """Share of the day's callers that the formula says are refused, for the planned replicas."""
    callers = sum(part.sessions_per_hour for part in plan.day)
    refused = sum(part.sessions_per_hour * part.blocking for part in plan.day)
    return refused / callers


def _finite(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and math.isinf(value) else value
        for key, value in figures.items()
    }


def _brief(account: Account) -> dict[str, Any]:
    figures = asdict(account)
    del figures["samples"]
    return {**figures, "share_refused": account.share_refused}


def _settings(plan: Plan) -> Table:
    settings, goals = plan.sizing.settings, plan.sizing.goals
    lower = (
        f" (not {share(goals.target)}, so that pods come in time)"
        if settings.target < goals.target
        else ""
    )
    rows = [
        ("fewest replicas", count(settings.min_replicas)),
        ("most replicas", f"{count(settings.max_replicas)} ({share(goals.growth)} more load)"),
        ("share of the capacity to be in use", share(settings.target) + lower),
        ("replicas at the busiest time", count(plan.busiest.replicas)),
        ("GPU hours a day", count(plan.gpu_hours)),
    ]
    return Table("What to run", ("", ""), rows)


def _day(plan: Plan) -> Table:
    rows = [
        (
            clock(part.start),
            count(part.sessions_per_hour),
            count(part.streams),
            count(part.required),
            count(part.replicas),
            share(part.blocking),
            share(part.waiting),
            span(part.mean_wait),
        )
        for part in plan.day
    ]
    headings = (
        "from",
        "sessions/h",
        "streams",
        "required",
        "replicas",
        "refused",
        "or wait",
        "mean wait",
    )
    note = (
        "Each row at its busiest moment; replicas that are required, and that the autoscaler runs. "
        "Refused: Erlang B, where who is refused goes away. "
        "Or wait, mean wait: Erlang C, where all try until they are let in."
    )
    return Table("Over the day", headings, rows, note)


def _spare(plan: Plan) -> Table:
    lost, rollout = plan.lost_node, plan.rollout
    rows = [
        ("a node is lost: pods", count(lost.pods)),
        ("sessions that go on elsewhere", count(lost.sessions)),
        ("new callers refused meanwhile", share(lost.blocking)),
        ("until the pods are replaced", span(lost.seconds)),
    ]
    if rollout:
        rows += [
            ("a rollout: more GPUs, at most", count(rollout.extra_gpus)),
            ("until all pods are new, at most", span(rollout.seconds)),
        ]
    return Table("Spare, at the busiest time", ("", ""), rows)


def _cost(plan: Plan) -> Table:
    rows = [
        (
            cost.price.name,
            money(cost.price.gpu_hour),
            money(cost.day),
            money(cost.month),
            money(cost.fixed_month),
            f"{cost.stream_hour:.4g}",
        )
        for cost in plan.costs
    ]
    headings = (
        "price",
        "GPU hour",
        "a day",
        "a month",
        "a month without autoscaling",
        "an hour of a stream",
    )
    return Table("Cost", headings, rows, "In the currency of the prices that were given.")


def _rehearsal(plan: Plan, rehearsal: Rehearsal) -> Table:
    rows = [
        (
            name,
            count(it.arrived),
            share(it.share_refused),
            share(expected_refused(plan)) if name == "day" else "",
            count(it.moved),
            count(it.cut),
            count(it.pod_seconds / 3600),
            count(plan.sizing.replica_hours) if name == "day" else "",
        )
        for name, it in rehearsal.accounts.items()
    ]
    headings = (
        "simulated",
        "callers",
        "refused",
        "by the formula",
        "sessions moved",
        "cut off",
        "pod hours",
        "by the formula",
    )
    note = (
        "Session by session, with pods that start, scale and drain. Pod hours hold those too, "
        "so they are more than the formula's. Moved: the pod was to go or was lost, and the "
        "session went on at another one; cut off: there was no room for it."
    )
    return Table("Simulated", headings, rows, note)
