"""`python -m voxtide_eval run`: datasets through servers, to a folder of manifests."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from voxtide.config import DEFAULT_BASE_URL
from voxtide.dialects import DIALECTS

from ..datasets import Dataset, DatasetError, definition
from ..inference.measure import Measured, measure
from ..inference.options import WAYS, Options, Server, Way
from ..inference.run import Tally
from ..servers import Start, started

_EPILOG = """\b
Examples:
  run nano --base-url http://127.0.0.1:8000/v1
  run nano nano-demo --way realtime --way file --serve nano --delays 240,480,960,2400
  run fleurs-en fleurs-de --limit 200 --serve mistralai/Voxtral-Mini-4B-Realtime-2602
  run nano --serve nano --stock                     vLLM without voxtide
  run nano --way file --base-url http://peer:8000/v1 --model whisper-1 --label Whisper

Each run becomes OUT/DATASET.SPLIT.LABEL.DELAY.WAY.jsonl; until it is over, what has been heard is
in the same name with .part.  The same command goes on where it was cut off, and hears again what
had an error.

\b
Exit codes:
  0 every utterance has a transcript   1 some have none, or a dataset is not here
  2 wrong usage   3 server unreachable   130 Ctrl-C
"""


def delays(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...]:
    """The numbers of `--delays`; none: the checkpoint's own."""
    try:
        return tuple(dict.fromkeys(int(part) for part in value.split(","))) if value else ()
    except ValueError:
        raise click.BadParameter("give milliseconds with commas between, as 240,480") from None


_SERVER_OPTIONS = (
    click.option(
        "--base-url",
        metavar="URL",
        envvar="VOXTIDE_BASE_URL",
        help=f"A server that runs, ending in /v1.  Default: {DEFAULT_BASE_URL}.",
    ),
    click.option("--api-key", envvar="VOXTIDE_API_KEY", help="Default: $VOXTIDE_API_KEY."),
    click.option("--model", metavar="NAME", help="Of that server.  Default: the first it lists."),
    click.option(
        "--dialect",
        type=click.Choice(tuple(DIALECTS)),
        default="voxtide",
        show_default=True,
        help="Of that server's realtime endpoint.",
    ),
    click.option(
        "--delay-ms",
        type=click.IntRange(min=0),
        help="Of that server's model, where the server does not say.",
    ),
    click.option("--label", help="What reports call it.  Default: product and model."),
    click.option(
        "--serve",
        metavar="MODEL",
        help="Start a server on this machine: nano, a folder, or an id on the hub.",
    ),
    click.option(
        "--delays",
        callback=delays,
        metavar="MS,MS",
        help="Start one after the other, each with one of these delays.",
    ),
    click.option("--stock", is_flag=True, help="Start vLLM without voxtide."),
    click.option(
        "--server-arg",
        "server_args",
        multiple=True,
        metavar="FLAG",
        help="One more flag of the server that is started, as --server-arg=--max-sessions=32.",
    ),
)
_RUN_OPTIONS = (
    click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("runs"),
        show_default=True,
        help="Folder for manifests and the logs of servers.",
    ),
    click.option(
        "--limit", type=click.IntRange(min=1), help="Utterances of each dataset, at the most."
    ),
    click.option(
        "--seed", type=int, default=0, show_default=True, help="Of the choice among them."
    ),
    click.option(
        "-n",
        "--parallel",
        type=click.IntRange(1, 4096),
        default=4,
        show_default=True,
        help="Utterances at once.",
    ),
    click.option(
        "--tell-language/--no-tell-language",
        default=True,
        show_default=True,
        help="Whether the server is told the dataset's language.",
    ),
)


@dataclass(frozen=True)
class Servers:
    """The servers that are to be measured, one after the other.

    Attributes:
        running: one that runs; None: they are started.
        starts: how.
        logs: folder for what they write.
    """

    running: Server | None
    starts: tuple[Start, ...]
    logs: Path

    def __iter__(self) -> Iterator[AbstractContextManager[Server]]:
        if self.running is not None:
            yield nullcontext(self.running)
        for start in self.starts:
            if sys.stderr.isatty():
                click.echo(f"starting {start.name} …", err=True)
            yield started(start, self.logs)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say which servers."""
    for option in reversed(_SERVER_OPTIONS):
        command = option(command)
    return command


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say how they are measured, but for the way."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


def servers(out: Path, given: dict[str, Any]) -> Servers:
    """The servers by their options; what does not go together is a usage error."""
    serve, sweep, stock, flags = (given[k] for k in ("serve", "delays", "stock", "server_args"))
    running = ("base_url", "api_key", "model", "delay_ms", "label")
    if serve is None:
        if sweep or stock or flags:
            raise click.UsageError("--delays, --stock and --server-arg need --serve")
        values = {name: given[name] for name in (*running[1:], "dialect")}
        return Servers(Server(given["base_url"] or DEFAULT_BASE_URL, **values), (), out)
    if given["base_url"] or given["model"] or given["delay_ms"] is not None:
        raise click.UsageError("--base-url, --model and --delay-ms are of a server that runs")
    starts = tuple(Start(serve, delay, stock, flags, given["label"]) for delay in sweep or (None,))
    return Servers(None, starts, out)


@click.command("run", epilog=_EPILOG)
@click.argument("names", metavar="DATASET...", nargs=-1, required=True)
@click.option(
    "--way",
    "ways",
    type=click.Choice(WAYS),
    multiple=True,
    default=("fast",),
    show_default=True,
    help="realtime: at the speed of speech; fast: the same endpoint, all at once; file.",
)
@click.option("--split", help="Default: the dataset's own.")
@click.option("--language", default="en", show_default=True, help="Of folders and listings.")
@run_options
@server_options
def command(
    names: tuple[str, ...],
    ways: tuple[Way, ...],
    split: str | None,
    language: str,
    out: Path,
    limit: int | None,
    seed: int,
    parallel: int,
    tell_language: bool,
    **given: Any,
) -> None:
    """Hear datasets through a server, and write a manifest for each.

    DATASET is a name (see `datasets`), a folder, or a listing of JSON lines or CSV.
    """
    found = [definition(name, language=language) for name in names]
    options = Options(out, "fast", split, limit, seed, parallel, tell_language)
    whole = True
    for context in servers(out, given):
        with context as server:
            for way in ways:
                whole &= _measured(found, server, replace(options, way=way))
    if not whole:
        click.get_current_context().exit(1)


def _measured(datasets: Sequence[Dataset], server: Server, options: Options) -> bool:
    """Whether all of it has a transcript; what is not here is said."""
    whole = True
    for dataset in datasets:
        try:
            measured = shown(dataset, server, options)
        except DatasetError as problem:
            click.echo(f"{dataset.name}: {problem}", err=True)
            whole = False
        else:
            click.echo(measured.path)
            whole &= not measured.tally.failed
    return whole


def shown(dataset: Dataset, server: Server, options: Options) -> Measured:
    """Measure, and show on a terminal how far it has come."""
    live = sys.stderr.isatty()

    def tell(tally: Tally) -> None:
        click.echo(f"\r{dataset.name}, {options.way}: {_said(tally)}", err=True, nl=False)

    measured = asyncio.run(measure(dataset, server, options, tell if live else lambda tally: None))
    if live:
        click.echo("\r\033[K", err=True, nl=False)
    if measured.tally.failed:
        click.echo(
            f"{dataset.name}, {options.way}: {_said(measured.tally)}; the same command "
            "hears those again",
            err=True,
        )
    return measured


def _said(tally: Tally) -> str:
    failed = f", {tally.failed} without a transcript" if tally.failed else ""
    kept = f", {tally.kept} of them before" if tally.kept else ""
    return f"{tally.done} utterances{kept}{failed}"
