"""`python -m voxtide_loadtest soak`."""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import click
import psutil

import voxtide

from .. import baseline
from ..behaviour import Distribution
from ..corpus import load
from ..terminal import parsed, show
from . import output
from .faults import FAULTS
from .html import html
from .netem import NetemFailed
from .run import Plan, Result, soak
from .servers import ServerFailed
from .speaker import Dialect, Habits

_SECONDS = click.FloatRange(0.1, 1e6)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{text!r} is not http://HOST:PORT; the proxy before it speaks no TLS")
    return text.rstrip("/").removesuffix("/v1") + "/v1"


def _pid(text: str) -> int:
    if not text.isdecimal() or not psutil.pid_exists(int(text)):
        raise ValueError(f"there is no process {text!r}")
    return int(text)


def _faults(text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    for name in names:
        if name not in FAULTS:
            raise ValueError(f"{name!r} is none of {', '.join(FAULTS)}")
    return names


def _idle(path: str) -> Mapping[str, Sequence[str]]:
    return {clip: one.text.split() for clip, one in baseline.read(path).items()}


@click.command("soak", context_settings={"show_default": True})
@click.option("--serve", metavar="MODEL", help="Start two servers with this model, such as nano.")
@click.option(
    "--url", "urls", multiple=True, callback=parsed(_url),
    help="A server that is there; several that are alike may be given.",
)  # fmt: skip
@click.option(
    "--pid", "pids", metavar="NUMBER", multiple=True, callback=parsed(_pid),
    help="Of a server's first process on this machine, to watch its memory.",
)  # fmt: skip
@click.option("--speakers", type=click.IntRange(1), default=4, help="Sessions at once.")
@click.option("--seconds", type=_SECONDS, default=1800.0, help="How long.")
@click.option("--every", "every_s", type=_SECONDS, default=20.0, help="Seconds between faults.")
@click.option("--lasts", "lasts_s", type=_SECONDS, default=5.0, help="Seconds a fault lasts.")
@click.option(
    "--faults", metavar="NAME,NAME", callback=parsed(_faults),
    help=f"Which of {', '.join(FAULTS)}; '' for none. Without: all that are possible.",
)  # fmt: skip
@click.option(
    "--session", "lengths", metavar="KIND:S,S", callback=parsed(Distribution.parse),
    default="uniform:60,300", help="Length of a session.",
)  # fmt: skip
@click.option(
    "--corpus", "clips", metavar="FILE|FOLDER", callback=parsed(load), default="",
    help="What is said; see docs/loadtest.md.",
)  # fmt: skip
@click.option("--dialect", type=click.Choice(get_args(Dialect)), default="voxtide")
@click.option(
    "--idle", metavar="FILE", callback=parsed(_idle),
    help="What the server hears alone, from voxtide_loadtest.idle. Without: it is asked.",
)  # fmt: skip
@click.option("--netem", is_flag=True, help="A bad network by the kernel: Linux, root, iproute2.")
@click.option("--warm-up", "warm_up_s", type=click.FloatRange(0), default=120.0,
              help="Seconds of a server's life whose memory says nothing.")  # fmt: skip
@click.option("--seed", type=int, default=1, help="Of all that is drawn.")
@click.option(
    "--logs", type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Keep the logs of the servers that are started here.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option(
    "--html", "page", type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page with plots, too.",
)  # fmt: skip
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    serve: str | None,
    urls: tuple[str, ...],
    pids: tuple[int, ...],
    faults: tuple[str, ...] | None,
    warm_up_s: float,
    as_json: bool,
    page: Path | None,
    arguments: tuple[str, ...],
    **others: Any,
) -> None:
    """Let people speak for a long time while things break, and account for every word.

    ARGUMENTS, after --, go to `voxtide serve`.

    \b
    For example, half an hour with a fault every 20 seconds:
      python -m voxtide_loadtest soak --serve nano --html soak.html -- --max-sessions 16

    Ends with status 1 if anything was lost or doubled, or a server did not come back.
    """
    if (serve is None) == (not urls) or (arguments and serve is None):
        raise click.UsageError("either --serve, with arguments for the server, or --url")
    habits = Habits(urls, others.pop("clips"), others.pop("lengths"), others.pop("dialect"))
    chosen = _possible(faults, serve is not None)
    _check_idle(others["idle"], habits)
    with tempfile.TemporaryDirectory(prefix="voxtide-soak-") as folder:
        plan = Plan(
            habits=habits,
            serve=None if serve is None else ("--model", serve, *arguments),
            pids={f"pid {pid}": pid for pid in pids},
            faults=chosen,
            logs=others.pop("logs") or Path(folder),
            **others,
        )
        result = _run(plan)
    if as_json:
        click.echo(json.dumps(output.as_json(plan, result, warm_up_s), indent=2))
    else:
        show(output.tables(plan, result, warm_up_s), output.verdict(result))
    if page:
        page.write_text(html(plan, result, warm_up_s), encoding="utf-8")
        click.echo(f"wrote {page}", err=True)
    if not result.clean:
        raise SystemExit(1)


def _possible(names: tuple[str, ...] | None, ours: bool) -> tuple[str, ...]:
    """The faults that were asked for, or all that there can be."""
    if names is None:
        return tuple(name for name, fault in FAULTS.items() if ours or not fault.ends_server)
    for name in names:
        if FAULTS[name].ends_server and not ours:
            raise click.BadParameter(f"{name} needs --serve", param_hint="'--faults'")
    return names


def _check_idle(idle: Mapping[str, Sequence[str]] | None, habits: Habits) -> None:
    for clip in habits.clips if idle is not None else ():
        if clip.id not in (idle or {}):
            raise click.BadParameter(f"does not have {clip.id}", param_hint="'--idle'")


def _run(plan: Plan) -> Result:
    """Do it; SIGINT and SIGTERM end it early, in good order."""

    async def main() -> Result:
        over = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        return await soak(plan, over, lambda line: click.echo(line, err=True))

    try:
        return asyncio.run(main())
    except (ServerFailed, NetemFailed, voxtide.VoxtideError) as failed:
        raise click.ClickException(str(failed)) from None
