"""`voxtide listen`: the microphone."""

from pathlib import Path

import click

from ..sources import microphone
from .live import OUTPUT_EPILOG, live_options, transcribe_live
from .options import client

_EPILOG = f"""\b
Examples:
  voxtide listen
  voxtide listen --list-devices
  voxtide listen --device 3 --captions talk.vtt
  voxtide listen --device "USB Audio" --json > events.jsonl
{OUTPUT_EPILOG}
The microphone is read by the package sounddevice: pip install 'voxtide[mic]'.
"""


@click.command("listen", epilog=_EPILOG, short_help="Transcribe the microphone live.")
@click.option("--device", help="Number of an input, or a part of its name.  Default: the system's.")
@click.option("--list-devices", is_flag=True, help="Print the devices, and do nothing else.")
@live_options
@click.pass_context
def command(
    ctx: click.Context,
    device: str | None,
    list_devices: bool,
    captions: Path | None,
    as_json: bool,
    base_url: str | None,
) -> None:
    """Transcribe the microphone live, until Ctrl-C."""
    if list_devices:
        click.echo(str(microphone.sounddevice().query_devices()))
        return
    server = client(base_url)
    with microphone.microphone(device) as source:
        ctx.exit(transcribe_live(server, source, pace=0.0, captions=captions, as_json=as_json))
