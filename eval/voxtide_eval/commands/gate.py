"""`python -m voxtide_eval gate`."""

from __future__ import annotations

from pathlib import Path

import click

from ..gate import Limits, gate
from ..scoring.comparison import NotComparable
from .manifests import FILE, refuse, scored

_LIMITS = Limits()


@click.command("gate")
@click.argument("run", type=FILE)
@click.option("--against", "base", type=FILE, required=True, help="The manifest of the base.")
@click.option(
    "--margin",
    type=click.FloatRange(min=0),
    default=_LIMITS.points,
    show_default=True,
    help="How much worse the error rate may be, in percentage points.",
)
@click.option(
    "--latency-margin-ms",
    type=click.FloatRange(min=0),
    default=_LIMITS.latency_ms,
    show_default=True,
    help="How much later words and final transcripts may come on average, in milliseconds.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, min_open=True, max_open=True),
    default=_LIMITS.confidence,
    show_default=True,
    help="With which a loss must be larger than its margin.",
)
@click.pass_context
def command(
    context: click.Context,
    run: Path,
    base: Path,
    margin: float,
    latency_margin_ms: float,
    confidence: float,
) -> None:
    """Fail if RUN is significantly worse than a base.

    Exit status: 0: passed; 1: a significant loss of accuracy or of latency; 2: the two cannot be
    compared.
    """
    limits = Limits(margin, latency_margin_ms, confidence)
    try:
        judged = gate(scored(run), scored(base), limits)
    except NotComparable as why:
        refuse(str(why))
    for one in judged:
        click.echo(str(one))
    if not all(one.passed for one in judged):
        context.exit(1)
