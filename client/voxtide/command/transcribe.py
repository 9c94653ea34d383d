"""`voxtide transcribe`: files in, text or subtitles out."""

from collections.abc import Mapping
from pathlib import Path

import click

from ..errors import UnreachableError, VoxtideError
from ..file_request import FORMATS, Format
from .exits import ExitCode
from .options import base_url_option, client

_SUFFIXES: Mapping[Format, str] = {
    "text": ".txt",
    "json": ".json",
    "verbose_json": ".json",
    "srt": ".srt",
    "vtt": ".vtt",
}

_EPILOG = """\b
Examples:
  voxtide transcribe talk.flac
  voxtide transcribe talk.flac --format srt -o talk.srt
  voxtide transcribe talks/*.wav --format vtt -o subtitles/

Without -o, the outputs go to standard output in the order of the files, each ended by a line
break.  A file that fails is reported on standard error and the others go on; the exit code is
then 1.
"""


@click.command("transcribe", epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "response_format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="What to write.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="For one file, the file to write; with several files, or where PATH is a folder or ends "
    "in /, the folder for files of the same names.",
)
@base_url_option()
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    response_format: Format,
    output: str | None,
    base_url: str | None,
) -> None:
    """Transcribe whole files."""
    targets = _targets(files, output, _SUFFIXES[response_format])
    server = client(base_url)
    failed = False
    for file, target in zip(files, targets, strict=True):
        try:
            _write(server.transcribe_as(file, response_format), target)
        except UnreachableError:
            raise
        except (VoxtideError, OSError) as error:
            failed = True
            click.echo(f"Error: {file}: {error}", err=True)
    ctx.exit(ExitCode.FAILED if failed else ExitCode.OK)


def _targets(files: tuple[str, ...], output: str | None, suffix: str) -> list[Path | None]:
    """The file to write for each file to read; None is standard output."""
    if output is None:
        return [None] * len(files)
    folder = Path(output)
    if len(files) == 1 and not output.endswith("/") and not folder.is_dir():
        return [folder]
    targets = [folder / (Path(file).stem + suffix) for file in files]
    if len(set(targets)) < len(targets):
        raise click.UsageError("two files of the same name would be written to the same output")
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{output} is a file; several outputs need a folder")
    return list(targets)


def _write(text: str, target: Path | None) -> None:
    text = text.rstrip("\n") + "\n"
    if target is None:
        click.echo(text, nl=False)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
