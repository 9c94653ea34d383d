"""`python -m voxtide_eval reproduce`: published tables, measured again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from voxtide import Timeout
from voxtide.command.exits import Failure
from voxtide.config import Endpoint

from ..datasets import Dataset, DatasetError
from ..inference.measure import why_missing
from ..inference.options import WAYS, Options, Server, Way
from ..inference.server import described
from ..manifest import read
from ..normalise import NORMALISERS
from ..reproduce.cells import LEADERBOARD, PAPER, Figure, needed
from ..reproduce.text import Line, markdown
from ..scoring import score
from .run import Servers, run_options, server_options, servers, shown


@click.group("reproduce")
def command() -> None:
    """Measure published tables again, as far as this machine has the data.

    Every dataset of the tables that is here is run, and each cell printed beside the published
    one, as Markdown. What is missing is said, and why. A reproduction that was cut off is gone on
    with by the same command; its runs are manifests like any others.
    """


@command.command("paper")
@click.option(
    "--table",
    "tables",
    type=click.Choice(PAPER),
    multiple=True,
    help="One of them; may be given again.  Default: all.",
)
@click.option("--way", type=click.Choice(WAYS), default="fast", show_default=True)
@run_options
@server_options
def paper(tables: tuple[str, ...], **given: Any) -> None:
    """Tables 3, 5, 6, 7 and 8 of the paper (arXiv 2602.11298): English, FLEURS, Common Voice.

    They have lines for 240, 480, 960 and 2400 ms: --serve MODEL --delays 240,480,960,2400.
    """
    _reproduce(tables or PAPER, by_delay=True, **given)


@command.command("leaderboard")
@click.option("--way", type=click.Choice(WAYS), default="file", show_default=True)
@run_options
@server_options
def leaderboard(**given: Any) -> None:
    """The Open ASR Leaderboard, English and multilingual; it sends whole files.

    Its line is the checkpoint's own delay, 480 ms.
    """
    _reproduce(LEADERBOARD, by_delay=False, **given)


def _reproduce(
    tables: Sequence[str],
    *,
    by_delay: bool,
    way: Way,
    out: Path,
    limit: int | None,
    seed: int,
    parallel: int,
    tell_language: bool,
    **given: Any,
) -> None:
    options = Options(out, way, None, limit, seed, parallel, tell_language)
    datasets = needed(tables)
    missing = {one.name: why for one in datasets if (why := why_missing(one)) is not None}
    here = [one for one in datasets if one.name not in missing]
    _check_normalisers(here)
    lines = _lines(here, missing, servers(out, given), options)
    click.echo(markdown(tables, lines, by_delay=by_delay, limit=limit), nl=False)


def _check_normalisers(datasets: Iterable[Dataset]) -> None:
    """Hours of running are not to end with a package that is missing."""
    try:
        for dataset in datasets:
            NORMALISERS[dataset.normaliser]("")
    except ModuleNotFoundError as lacking:
        raise Failure(str(lacking)) from None


def _lines(
    here: Sequence[Dataset], missing: Mapping[str, str], servers: Servers, options: Options
) -> list[Line]:
    """A line for each server; where there is nothing to be heard none is started or asked."""
    if not here:
        starts = [Line(start.model, start.delay_ms, {}, missing) for start in servers.starts]
        return starts or [Line("ours", None, {}, missing)]
    lines = []
    for context in servers:
        with context as server:
            lines.append(_line(here, missing, server, options))
    return lines


def _line(
    here: Sequence[Dataset], missing: Mapping[str, str], server: Server, options: Options
) -> Line:
    endpoint = Endpoint.resolve(server.url, server.api_key)
    served = asyncio.run(described(endpoint, server.model, Timeout()))
    figures: dict[str, Figure] = {}
    why = dict(missing)
    for dataset in here:
        try:
            figures[dataset.name] = _figure(shown(dataset, server, options).path)
        except DatasetError as problem:
            why[dataset.name] = str(problem)
    delay = server.delay_ms if served.delay_ms is None else served.delay_ms
    return Line(server.label or served.label, delay, figures, why)


def _figure(manifest: Path) -> Figure:
    scored = score(read(manifest))
    rate = scored.total.rate
    if rate is None:
        raise DatasetError(f"{manifest}: nothing was said in it")
    return Figure(100 * rate.value, 100 * rate.low, 100 * rate.high, scored.failed)
