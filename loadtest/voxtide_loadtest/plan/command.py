"""`python -m voxtide_loadtest plan`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from ..terminal import parsed, show
from . import inputs, output
from .fleet import Balancing, Fleet, Goals
from .html import html
from .lengths import Lengths
from .pattern import Pattern
from .proposal import Price, propose
from .rehearsal import rehearse
from .values import Scaler, snippet, values

_Command = TypeVar("_Command", bound=Callable[..., Any])

_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
_SECONDS = click.FloatRange(0, 86_400)
_COUNT = click.IntRange(1)


def _together(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def apply(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return apply


_of_arrivals = _together(
    click.option(
        "--capacity",
        metavar="N|FILE",
        callback=parsed(inputs.capacity),
        required=True,
        help="Live sessions that a replica carries, or a capacity report.",
    ),
    click.option(
        "--sessions-per-hour",
        type=click.FloatRange(0, 1e9, min_open=True),
        required=True,
        help="Mean over the day.",
    ),
    click.option(
        "--lengths",
        metavar="NAME:SECONDS|FILE",
        callback=parsed(inputs.lengths),
        required=True,
        help="How long sessions last, in seconds: exponential:MEAN, fixed:MEAN, "
        "lognormal:MEAN:VARIATION (standard deviation over mean), or a file of lengths.",
    ),
    click.option(
        "--curve",
        metavar="WEIGHTS|FILE",
        callback=parsed(inputs.curve),
        help="Relative rates of equal parts of a day from midnight on: 24 or more with commas, "
        "or a file. Without: all day the same.",
    ),
)

_of_goals = _together(
    click.option("--blocking", type=_SHARE, default=0.001, help="Share of callers refused, most."),
    click.option(
        "--target", type=_SHARE, default=0.7, help="Share of the capacity in use, greatest."
    ),
    click.option(
        "--spare-nodes", type=click.IntRange(0), default=1, help="Nodes that may be lost."
    ),
    click.option(
        "--growth",
        type=click.FloatRange(0, 100),
        default=0.2,
        help="Load beyond the pattern that the most replicas carry.",
    ),
)

_of_fleet = _together(
    click.option(
        "--startup-seconds",
        type=_SECONDS,
        default=300.0,
        help="From asking for a pod to its first session.",
    ),
    click.option("--drain-seconds", type=_SECONDS, default=600.0, help="For a pod that is to go."),
    click.option("--max-surge", type=click.IntRange(0), default=1, help="Pods more in a rollout."),
    click.option("--gpus", type=_COUNT, default=1, help="Of a replica."),
    click.option("--node-gpus", type=_COUNT, default=1, help="Of a node."),
    click.option(
        "--balancing",
        type=click.Choice(get_args(Balancing)),
        default="least-connections",
        help="Who gets a new session.",
    ),
    click.option(
        "--tries", type=_COUNT, default=1, help="Replicas that a caller tries; with random only."
    ),
)

_of_output = _together(
    click.option(
        "--scaler",
        type=click.Choice(get_args(Scaler)),
        default="keda",
        help="What scales the fleet.",
    ),
    click.option(
        "--prometheus",
        metavar="URL",
        default="http://prometheus.monitoring:9090",
        help="What KEDA asks.",
    ),
    click.option(
        "--price",
        "prices",
        metavar="NAME=PRICE",
        callback=parsed(inputs.price),
        multiple=True,
        help="Of a GPU hour, in any currency; several may be given.",
    ),
    click.option(
        "--simulate-up-to",
        type=click.IntRange(0),
        default=300_000,
        help="Sessions: what is more is left to the formulas. Some 50,000 take a second.",
    ),
    click.option("--seed", type=int, default=1, help="Of the simulation's random numbers."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables."),
    click.option(
        "--html",
        "page",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        help="Write a page with plots, too.",
    ),
)


@click.command("plan", context_settings={"show_default": True})
@_of_arrivals
@_of_goals
@_of_fleet
@_of_output
def command(
    capacity: int,
    sessions_per_hour: float,
    lengths: Lengths,
    curve: tuple[float, ...] | None,
    scaler: Scaler,
    prometheus: str,
    prices: tuple[Price, ...],
    simulate_up_to: int,
    seed: int,
    as_json: bool,
    page: Path | None,
    **others: Any,
) -> None:
    """How many replicas it takes, when, and what they cost.

    \b
    For example, 8000 sessions an hour of 4 minutes, 60 on each replica:
      python -m voxtide_loadtest plan --capacity 60 --sessions-per-hour 8000 \\
          --lengths lognormal:240:1.2 --node-gpus 8 --price mine=2.50 --html plan.html
    """
    goals = Goals(**{name: others.pop(name) for name in Goals.__dataclass_fields__})
    fleet = Fleet(capacity, **others)
    if fleet.node_gpus < fleet.gpus:
        raise click.BadParameter(
            f"must be {fleet.gpus} at least, as many as a replica has", param_hint="'--node-gpus'"
        )
    plan = propose(Pattern(sessions_per_hour, curve or (1.0,), lengths), fleet, goals, prices)
    rehearsal = rehearse(plan, simulate_up_to, seed)
    chart = values(plan.sizing, scaler, prometheus)
    if as_json:
        click.echo(json.dumps(output.as_json(plan, rehearsal, chart), indent=2))
    else:
        left_out = output.left_out(rehearsal)
        show(output.tables(plan, rehearsal), *([left_out] if left_out else []))
        heading = "# Values for the Helm chart: helm upgrade … -f values.yaml"
        click.echo(f"\n{heading}\n{snippet(chart)}", nl=False)
    if page:
        page.write_text(html(plan, rehearsal, chart), encoding="utf-8")
        click.echo(f"wrote {page}", err=True)
