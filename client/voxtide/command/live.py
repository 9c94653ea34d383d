"""What `voxtide stream` and `voxtide listen` share: from a source of audio to words."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import click

from ..captions import writer_for
from ..config import TurnDetection
from ..events import ServerError
from ..sources.opened import Source
from ..sync import Client
from .caption_file import CaptionFile
from .exits import ExitCode
from .feeder import feeding
from .live_output import JsonLines, Lines, LiveOutput
from .options import base_url_option

OUTPUT_EPILOG = """
To a terminal, words are shown as they come, with the transcript lag; to a file or a pipe, each
turn is one line once it is final.  A turn ends at a pause of 0.8 s.  Captions grow while people
speak; docs/captions.md says what they keep.  Ctrl-C prints what was said so far, and the exit
code is then 130.
"""

# As long a pause as lets the model say all of a turn before it is final (docs/architecture.md).
_TURNS = TurnDetection(silence=0.8)

_Command = TypeVar("_Command", bound=Callable[..., Any])


def live_options(command: _Command) -> _Command:
    """The options --captions, --json and --base-url."""
    for option in (
        base_url_option(),
        click.option("--json", "as_json", is_flag=True, help="Print each event as a JSON object."),
        click.option(
            "--captions",
            type=click.Path(dir_okay=False, path_type=Path),
            callback=_check_suffix,
            help="Write captions to a file that grows live: .srt or .vtt.",
        ),
    ):
        command = option(command)
    return command


def transcribe_live(
    server: Client, source: Source, *, pace: float, captions: Path | None, as_json: bool
) -> ExitCode:
    """Feed a source to a session and show what it says, until both have ended.

    Args:
        pace: Seconds of audio for each second of time; 0 feeds it as it comes.
        captions: The caption file to write.
        as_json: Print events instead of text.

    Returns:
        FAILED if the server reported an error.
    """
    code = ExitCode.OK
    with (
        CaptionFile(captions) if captions else nullcontext() as file,
        _output(source, as_json) as output,
        server.stream(sample_rate=source.sample_rate, turn_detection=_TURNS) as session,
        feeding(session, source.pieces, pace) as feeder,
    ):
        for event in session:
            output.take(event, feeder.position)
            if file is not None:
                file.take(event)
            if isinstance(event, ServerError):
                code = ExitCode.FAILED
    return code


def _output(source: Source, as_json: bool) -> LiveOutput:
    if as_json:
        return JsonLines()
    if not sys.stdout.isatty():
        return Lines()
    try:
        from rich.console import Console  # of the extra `cli`; slow to import, and pipes do without

        from .preview import Preview
    except ImportError:
        click.echo("Only final turns are shown: no rich (pip install 'voxtide[cli]')", err=True)
        return Lines()
    return Preview(Console(highlight=False), source.level)


def _check_suffix(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        try:
            writer_for(path.suffix)
        except ValueError as wrong:
            raise click.BadParameter(str(wrong)) from wrong
    return path
