"""`voxtide stream`: a file, a pipe or a URL as live speech."""

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from ..sources import opened
from ..sources.opened import Source
from .exits import Failure
from .live import OUTPUT_EPILOG, live_options, transcribe_live
from .options import client

SCHEMES = ("rtmp", "rtmps", "rtsp", "http", "https", "srt", "udp")

_EPILOG = f"""\b
Examples:
  voxtide stream talk.flac
  voxtide stream talk.mp4 --pace 0 --captions talk.vtt > talk.txt
  voxtide stream rtmp://example.org/live/stage --captions stage.srt
  voxtide stream https://example.org/live/index.m3u8 --json
  arecord -q -t raw -f S16_LE -r 16000 | voxtide stream -
{OUTPUT_EPILOG}
URLs, and files that the package soundfile cannot read, are read by the program ffmpeg.
"""


@click.command("stream", epilog=_EPILOG, short_help="Stream a file, a pipe or a URL live.")
@click.argument("source", metavar="FILE|URL|-")
@click.option(
    "--pace",
    type=click.FloatRange(min=0),
    help="Speed: 1 is real time, 2 twice as fast, 0 as fast as it comes and the server takes it.  "
    "Default: 1 for a file, 0 for standard input and URLs.",
)
@click.option(
    "--rate",
    type=click.IntRange(1000, 384_000),
    help="Sample rate of standard input in Hz.  Default: 16000.",
)
@live_options
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    pace: float | None,
    rate: int | None,
    captions: Path | None,
    as_json: bool,
    base_url: str | None,
) -> None:
    """Stream FILE, URL, or raw 16-bit little-endian mono PCM from standard input (-), live."""
    if rate is not None and source != "-":
        raise click.UsageError("--rate is for standard input; a file says its own rate")
    if pace is None:
        pace = 0.0 if source == "-" or "://" in source else 1.0
    server = client(base_url)
    with _opened(source, rate or 16000) as audio:
        try:
            code = transcribe_live(server, audio, pace=pace, captions=captions, as_json=as_json)
        except ValueError as unsuitable:
            raise Failure(f"{source}: {unsuitable}") from unsuitable
    ctx.exit(code)


def _opened(source: str, rate: int) -> AbstractContextManager[Source]:
    if source == "-":
        return nullcontext(opened.from_raw(sys.stdin.fileno(), rate))
    scheme, mark, _ = source.partition("://")
    if not mark:
        return opened.from_file(_file(source))
    if scheme.lower() not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise click.BadParameter(f"{scheme}:// is none of {known}", param_hint="FILE|URL|-")
    return opened.from_url(source)


def _file(path: str) -> str:
    try:
        return str(click.Path(exists=True, dir_okay=False).convert(path, None, None))
    except click.BadParameter as missing:
        raise click.BadParameter(missing.message, param_hint="FILE|URL|-") from missing
