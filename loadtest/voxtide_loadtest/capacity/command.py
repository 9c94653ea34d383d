"""`python -m voxtide_loadtest capacity` and `… compare`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import click

from . import comparison, report
from .course import Course, Trial, take_turns
from .result import progress, read_json, result, write_csv, write_json
from .scrape import Scraper
from .search import Ask, Rules
from .server import Server
from .slo import CannotJudge, Slo
from .trial import Length, Speech, TrialFailed, idle, judged, run

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MS = click.FloatRange(0, 1e6, min_open=True)
_S = click.FloatRange(0, 86_400)
_COUNT = click.IntRange(1)


_OPTIONS = (
    click.option(
        "--word-ms", type=_MS, default=300.0, help="p95 of word latency beyond the delay."
    ),
    click.option("--lag-ms", type=_MS, default=1000.0, help="p99 of transcript lag."),
    click.option(
        "--lost-words",
        type=click.FloatRange(0, 1),
        default=0.0,
        help="Share of words lost, doubled or unanswered, against idle.",
    ),
    click.option("--slip-ms", type=_MS, default=10.0, help="p99 of the generator's own slip."),
    click.option("--start", type=_COUNT, default=1, help="Streams of the first trial."),
    click.option("--most", type=_COUNT, default=1000, help="Streams that are never exceeded."),
    click.option(
        "--tolerance",
        type=click.FloatRange(0, 1),
        default=0.05,
        help="How near the level that failed has to be, as a share; 0: the very next one.",
    ),
    click.option("--trials", type=_COUNT, default=8, help="That confirm the result, at most."),
    click.option("--passes", type=_COUNT, default=7, help="Of those, that must keep the SLO."),
    click.option(
        "--searches",
        type=_COUNT,
        default=1,
        help="On each server, side by side; the lowest result counts.",
    ),
    click.option("--voids", type=_COUNT, default=3, help="In a row: the generator is the limit."),
    click.option("--ramp", type=_S, default=5.0, help="Seconds in which all streams begin."),
    click.option("--warm-up", type=_S, default=10.0, help="Seconds before figures count."),
    click.option(
        "--measure",
        type=click.FloatRange(6, 86_400),
        default=30.0,
        help="Seconds in which they count; longer than a turn.",
    ),
    click.option("--corpus", default="", help="As for locust; else the recording of voxtide."),
    click.option("--rate", type=click.IntRange(0), default=0, help="Hz; else the dialect's."),
    click.option("--rounds", type=_COUNT, default=3, help="Of each clip, alone, at first."),
    click.argument("more", nargs=-1, type=click.UNPROCESSED),
)


def _options(command: _Command) -> _Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _out(default: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=default,
        help="Writes OUT.json, OUT.csv and OUT.html.",
    )


@click.command("capacity", context_settings={"show_default": True})
@click.argument("server")
@_out("capacity")
@_options
def capacity(server: str, out: Path, **given: Any) -> None:
    """The most live streams that SERVER carries within the SLO.

    SERVER is URL[,name=NAME][,dialect=DIALECT][,model=MODEL][,delay_ms=MS], the last one where the
    server does not tell the delay of its model. What comes after -- goes to locust as it is.

    \b
    For example:
      python -m voxtide_loadtest capacity http://127.0.0.1:8000 -- --processes 4
    """
    (found,) = _measured([_server(server, "SERVER")], **given)
    _write(out, found, [found], report.of_capacity(found))


@click.command("compare", context_settings={"show_default": True})
@click.argument("a")
@click.argument("b")
@_out("comparison")
@_options
def compare(a: str, b: str, out: Path, **given: Any) -> None:
    """Two servers, or two results of `capacity`, side by side.

    A and B are servers as for `capacity`, whose trials take turns, or the JSON files of two
    results.
    """
    files = [Path(one).is_file() for one in (a, b)]
    if all(files):
        results = [_read(a, "A"), _read(b, "B")]
    elif any(files):
        raise click.UsageError("A and B must be two servers or two files.")
    else:
        results = _measured([_server(a, "A"), _server(b, "B")], **given)
    compared = comparison.comparison(*results)
    _write(out, compared, results, report.of_comparison(compared))


def _server(text: str, name: str) -> Server:
    try:
        return Server.parse(text)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint=name) from None


def _read(path: str, name: str) -> dict[str, Any]:
    try:
        return read_json(path)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint=name) from None


def _measured(servers: Sequence[Server], **given: Any) -> list[dict[str, Any]]:
    """Search on all servers side by side; their results in that order."""
    rules = _rules(given)
    slo = Slo(**{name: given[name] for name in Slo.__dataclass_fields__})
    length = Length(given["ramp"], given["warm_up"], given["measure"])
    speech = Speech(given["corpus"], given["rate"], given["more"])
    courses = [[Course(server, rules) for _ in range(given["searches"])] for server in servers]
    began = round(time.time(), 3)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scrapers = [stack.enter_context(Scraper(server.metrics)) for server in servers]
        try:
            for number, server in enumerate(servers):
                click.echo(f"{server.name}: alone, each clip {given['rounds']} times", err=True)
                idle(server, speech, given["rounds"], Path(folder) / f"{number}.json")
            idles = {
                id(course): Path(folder) / f"{number}.json"
                for number, those in enumerate(courses)
                for course in those
            }
            take_turns(
                list(chain.from_iterable(courses)),
                lambda course, ask, number: _trial(
                    course, ask, number, speech, length, slo, idles[id(course)]
                ),
            )
        except (CannotJudge, TrialFailed) as wrong:
            raise click.ClickException(str(wrong)) from None
    return [
        result(those, slo, length, began, scraper.samples)
        for those, scraper in zip(courses, scrapers, strict=True)
    ]


def _rules(given: dict[str, Any]) -> Rules:
    rules = Rules(**{name: given[name] for name in Rules.__dataclass_fields__})
    if rules.start > rules.most:
        raise click.BadParameter(f"is above --most {rules.most}", param_hint="--start")
    if rules.passes > rules.trials:
        raise click.BadParameter(f"is above --trials {rules.trials}", param_hint="--passes")
    return rules


def _trial(
    course: Course, ask: Ask, number: int, speech: Speech, length: Length, slo: Slo, idle_file: Path
) -> Trial:
    server = course.server
    summary = run(server, speech, ask.streams, length, idle_file)
    counted, judgement = judged(summary, ask.streams, length, slo, server)
    began = summary["about"]["began_unix_s"]
    trial = Trial(
        number=number,
        streams=ask.streams,
        purpose=ask.purpose,
        outcome=judgement.outcome,
        problems=judgement.problems,
        limit_ms=judgement.limit_ms,
        began_unix_s=began,
        counted_unix_s=round(counted, 3),
        ended_unix_s=round(began + summary["about"]["duration_s"], 3),
        figures=judgement.figures,
        over_time=summary["over_time"],
    )
    click.echo(progress(trial, server.name), err=True)
    return trial


def _write(out: Path, found: dict[str, Any], results: Sequence[dict[str, Any]], page: str) -> None:
    files = [out.with_name(f"{out.name}.{kind}") for kind in ("json", "csv", "html")]
    write_json(files[0], found)
    with files[1].open("w", newline="", encoding="utf-8") as table:
        write_csv(table, results)
    files[2].write_text(page, encoding="utf-8")
    click.echo(found["statement"])
    click.echo(f"wrote {', '.join(map(str, files))}", err=True)
