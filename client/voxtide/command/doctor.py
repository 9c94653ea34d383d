"""`voxtide doctor`: is the server well, and what can it do?"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from ..config import Timeout
from ..errors import UnreachableError
from .diagnosis import Diagnosis
from .exits import ExitCode
from .options import base_url_option, endpoint

_EPILOG = """\b
Examples:
  voxtide doctor
  voxtide doctor --base-url https://speech.example/v1
  voxtide doctor --json | jq .sessions.room

What a server does not tell is unknown: voxtide tells all of it, vLLM and other servers with
OpenAI's API a part.  Each dialect is opened and closed once, which takes a session's place for a
moment.  The clock is compared to a second.

\b
Exit codes:
  0 all is well   1 something is wrong   2 wrong usage   3 server unreachable   130 Ctrl-C
"""


@click.command("doctor", epilog=_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=Timeout().connect,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each answer.",
)
@base_url_option()
@click.pass_context
def command(ctx: click.Context, as_json: bool, timeout: float, base_url: str | None) -> None:
    """Say whether the server is well, what it can do and how far away it is."""
    server = endpoint(base_url)
    patience = Timeout(connect=timeout, response=timeout)
    try:
        diagnosis = asyncio.run(Diagnosis.made(server, patience))
    except UnreachableError as error:
        if as_json:
            unreachable = {"base_url": server.base_url, "ok": False, "problems": [str(error)]}
            click.echo(json.dumps(unreachable))
        raise
    _print(diagnosis.as_json(), as_json=as_json)
    ctx.exit(ExitCode.FAILED if diagnosis.problems else ExitCode.OK)


def _print(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name, value in _rows(found):
            click.echo(f"{click.style(f'{name:<16}', bold=True)}{value}")


def _rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    versions, sessions = found["versions"], found["sessions"]
    yield "server", found["base_url"]
    yield "kind", _shown(found["server"])
    yield "status", _shown(found["status"])
    yield "voxtide", _shown(versions["voxtide"])
    yield "vLLM", _shown(versions["vllm"])
    yield "key", _shown(found["key"])
    yield "models", _shown(", ".join(found["models"] or ()) or None)
    yield "delay", _shown(found["delay_ms"], " ms")
    for name, dialect in found["dialects"].items():
        yield f"dialect {name}", _answer(dialect)
    yield "sessions", f"{_shown(sessions['open'])} of {_shown(sessions['capacity'])}"
    yield "room", _shown(sessions["room"])
    yield "clock", _shown(found["clock_ahead_s"], " s ahead of this one")
    yield "HTTP", _shown(found["http_round_trip_ms"], " ms for a round trip")
    yield "WebSocket", _shown(found["websocket_round_trip_ms"], " ms for a round trip")
    for problem in found["problems"]:
        yield "problem", problem


def _answer(dialect: Mapping[str, Any]) -> str:
    word = {True: "answers", False: "not spoken", None: "unknown"}[dialect["answers"]]
    return f"{word} ({dialect['why']})" if dialect["why"] else word


def _shown(value: object, unit: str = "") -> str:
    return "unknown" if value is None else f"{value}{unit}"
