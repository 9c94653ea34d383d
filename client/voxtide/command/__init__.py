"""The `voxtide` command: one module for each subcommand.

Exit codes, of all subcommands (`exits.ExitCode`):

    0     all is well: everything was done, or had been done
    1     something failed: a file, an object, a turn, a check of the doctor
    2     wrong usage: an option, an argument, a path that means nothing
    3     the server cannot be reached, or could not any more
    130   Ctrl-C
"""

import click

from . import batch, completion, demo, doctor, listen, serve, stream, transcribe
from .exits import ErrorHandlingGroup

_EPILOG = """\b
Examples:
  voxtide demo                                 see live words now, on this machine
  voxtide transcribe talk.flac --format srt    subtitles for a file
  voxtide batch s3://talks transcripts/        a document for each file in a bucket
  voxtide stream talk.flac                     a file as if it were spoken now
  voxtide stream rtmp://example.org/live/stage --captions stage.vtt
  voxtide listen                               the microphone
  voxtide doctor                               is the server well?

\b
Environment:
  VOXTIDE_BASE_URL   the server, if --base-url is not given
  VOXTIDE_API_KEY    the key to send

\b
Exit codes:
  0 all is well   1 something failed   2 wrong usage   3 server unreachable   130 Ctrl-C
"""


@click.group(
    cls=ErrorHandlingGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="voxtide", message="%(prog)s %(version)s")
def main() -> None:
    """Live speech-to-text: serve a model, and turn files and streams into words."""


for _module in (serve, demo, transcribe, batch, stream, listen, doctor, completion):
    main.add_command(_module.command)
main.add_command(serve.drain)
