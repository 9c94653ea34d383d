"""`voxtide stream`: a file or a pipe as live speech."""

import sys
from contextlib import AbstractContextManager, nullcontext

import click

from ..events import Event, Final, Partial, ServerError
from ..sync import Session
from . import audio_source
from .audio_source import Source
from .exits import ExitCode, Failure
from .feeder import feeding
from .options import base_url_option, client

_EPILOG = """\b
Examples:
  voxtide stream talk.flac
  voxtide stream talk.flac --pace 0 > talk.txt
  ffmpeg -i talk.mp4 -f s16le -ac 1 -ar 16000 - | voxtide stream -

To a terminal, words are printed as they come; to a file or a pipe, each turn is one line once it
is final.
"""


@click.command("stream", epilog=_EPILOG, short_help="Stream a file or a pipe as live speech.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--pace",
    type=click.FloatRange(min=0),
    help="Speed: 1 is real time, 2 twice as fast, 0 as fast as the server takes it.  "
    "Default: 1 for a file, 0 for standard input.",
)
@click.option(
    "--rate",
    type=click.IntRange(1000, 384_000),
    help="Sample rate of standard input in Hz.  Default: 16000.",
)
@base_url_option()
@click.pass_context
def command(
    ctx: click.Context, file: str, pace: float | None, rate: int | None, base_url: str | None
) -> None:
    """Stream FILE, or raw 16-bit little-endian mono PCM from standard input (-), live."""
    from_pipe = file == "-"
    if rate is not None and not from_pipe:
        raise click.UsageError("--rate is for standard input; a file says its own rate")
    if pace is None:
        pace = 0.0 if from_pipe else 1.0
    printer = _Printer(live=sys.stdout.isatty())
    server = client(base_url)
    with _source(file, rate or 16000) as source:
        try:
            opened = server.stream(sample_rate=source.sample_rate)
            with opened as session, feeding(session, source.pieces, pace):
                printer.print_all(session)
        except ValueError as unsuitable:
            raise Failure(f"{file}: {unsuitable}") from unsuitable
    ctx.exit(ExitCode.FAILED if printer.failed else ExitCode.OK)


def _source(file: str, rate: int) -> AbstractContextManager[Source]:
    if file == "-":
        return nullcontext(audio_source.from_raw(sys.stdin.fileno(), rate))
    return audio_source.from_file(file)


class _Printer:
    """Prints what a session says; `live` prints words before their turn is final."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._in_turn = False
        self.failed = False

    def print_all(self, session: Session) -> None:
        try:
            for event in session:
                self._print(event)
        finally:
            self._end_line()

    def _print(self, event: Event) -> None:
        match event:
            case Partial(text=text) if self._live:
                click.echo(text if self._in_turn else text.lstrip(), nl=False)
                self._in_turn = True
            case Final(text=text) if not self._in_turn:
                click.echo(text)
            case Final():
                self._end_line()
            case ServerError(message=message):
                self.failed = True
                self._end_line()
                click.echo(f"Error: {message}", err=True)

    def _end_line(self) -> None:
        if self._in_turn:
            click.echo()
        self._in_turn = False
