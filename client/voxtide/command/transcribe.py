"""`voxtide transcribe`: files in, text or subtitles out."""

from pathlib import Path

import click

from ..file_request import FORMATS, Format
from ..upload import OnProgress
from . import outputs
from .file_options import FileOptions, file_options
from .inputs import expanded
from .report import Outcome
from .work import run

_EPILOG = """\b
Examples:
  voxtide transcribe talk.flac
  voxtide transcribe talk.mp4 --format srt -o talk.srt
  voxtide transcribe talks/ 'more/**/*.wav' --format vtt -o subtitles/
  voxtide transcribe talks/ --json | jq -r 'select(.status == "failed").file'

A folder stands for the audio and video in it, at any depth; a quoted pattern for the files that
match.

Without -o, the outputs go to standard output in the order of the files, each ended by a line
break.  In a folder given with -o they are named after their files, and below a folder like in
the one that was read.  Outputs that are there, not empty and not older than their files are
left as they are, so that the same command goes on where it was interrupted; --force does all
again, as is needed after another --format of the same suffix.

A file that fails is reported on standard error and the others go on; a server that cannot be
reached ends it all.  With --json, each file is a line on standard output as it comes:
{"file", "status": "done", "skipped" or "failed", "output" or "result", "error": {"code",
"message"}}.

\b
Exit codes:
  0 all done   1 a file failed   2 wrong usage   3 server unreachable   130 Ctrl-C
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
@file_options
def command(
    files: tuple[str, ...], response_format: Format, output: str | None, options: FileOptions
) -> None:
    """Transcribe whole files, folders of them, or what a pattern matches."""
    inputs = expanded(files)
    folder = output is not None and outputs.in_folder(inputs, output)
    suffix = outputs.SUFFIXES[response_format]
    targets = [None] * len(inputs) if output is None else outputs.targets(inputs, output, suffix)
    job = _Job(options, response_format, skip_done=folder and not options.force)
    named = {str(item.path): (item.path, to) for item, to in zip(inputs, targets, strict=True)}
    click.get_current_context().exit(run(named, job.outcome, options))


class _Job:
    """What is done with each file."""

    def __init__(self, options: FileOptions, response_format: Format, *, skip_done: bool) -> None:
        self._client = options.client()
        self._names = {"model": options.model, "language": options.language}
        self._format = response_format
        self._skip_done = skip_done

    async def outcome(
        self, file: tuple[Path, Path | None], on_progress: OnProgress | None
    ) -> Outcome:
        """Transcribe a file to its target, unless that is done."""
        source, target = file
        output = None if target is None else str(target)
        if self._skip_done and target is not None and outputs.is_done(source, target):
            return Outcome("skipped", output)
        text = await self._client.transcribe_as(
            source, self._format, on_progress=on_progress, **self._names
        )
        text = text.rstrip("\n") + "\n"
        if target is None:
            return Outcome("done", text=text)
        outputs.write(text.encode(), target)
        return Outcome("done", output)
