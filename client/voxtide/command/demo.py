"""`voxtide demo`: live words on this machine, with their latency."""

import importlib.util
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click

from ..captions import TimedWord, WordCollector
from ..config import Reconnect
from ..events import Final, Partial, ServerError
from ..sync import Client
from .exits import Failure
from .feeder import feeding
from .latency import Measures, measure
from .local_server import running_server
from .options import base_url_option, client
from .recording import Recording, bundled_audio

# What the demo measures has no meaning over two connections.
_ONCE = Reconnect(seconds=0)
_CLEAR_LINE = "\r\x1b[K"

_EPILOG = """\
The recording is sent in real time: a piece of 80 ms goes out when its last sample would have been
spoken.

Time to first word: from the start of speech in the recording to the arrival of the first text.

Word latency: from the end of a word in the recording to the arrival of the text that completes
it; the mean is over the words that were recognised.

Word error rate: substituted, missing and added words for each word that was said, with case and
punctuation left out.
"""


@click.command("demo", epilog=_EPILOG)
@base_url_option("a server with the nano model is started on this machine, and stopped again")
@click.option(
    "--delay-ms",
    type=click.IntRange(min=80),
    help="The delay of the model for the server that is started, in milliseconds.",
)
def command(base_url: str | None, delay_ms: int | None) -> None:
    """Stream a recording in real time and print the words as they come."""
    if base_url is not None and delay_ms is not None:
        raise click.UsageError("--delay-ms is for a server that the demo starts")
    if not all(map(importlib.util.find_spec, ("jiwer", "soundfile"))):
        raise Failure("the demo needs more than the client: pip install 'voxtide[cpu]'")
    server = nullcontext(base_url) if base_url is not None else _started_server(delay_ms)
    with server as url:
        recording = Recording.bundled()
        click.echo(f"Listening to {recording.voice}, in real time:")
        text, words = _listen(client(url))
    _report(text, measure(recording, words))


@contextmanager
def _started_server(delay_ms: int | None) -> Iterator[str]:
    live = sys.stderr.isatty()
    message = "Starting a server with the nano model on this machine"

    def show(seconds: float) -> None:
        click.echo(f"{_CLEAR_LINE}{message} ... {seconds:.0f} s", err=True, nl=False)

    if not live:
        click.echo(f"{message} ...", err=True)
    with running_server(delay_ms, show if live else lambda _: None) as url:
        if live:
            click.echo(err=True)
        yield url


def _listen(server: Client) -> tuple[str, list[TimedWord]]:
    """The final transcript, and the words as they arrived on the clock of the audio."""
    collector = WordCollector()
    printer = _WordPrinter(collector, live=sys.stdout.isatty())
    texts = []
    with (
        bundled_audio() as source,
        server.stream(sample_rate=source.sample_rate, reconnect=_ONCE) as session,
        feeding(session, source.pieces, pace=1.0) as feeder,
    ):
        for event in session:
            match event:
                case Partial(text=text, end=end):
                    collector.add(text, end, time.monotonic() - feeder.started)
                case Final(text=text):
                    collector.close()
                    texts.append(text)
                case ServerError(message=message):
                    raise Failure(message)
            printer.update()
    if not texts:
        raise Failure("no final transcript came")
    return " ".join(texts), collector.words


class _WordPrinter:
    """One line for each word; `live` shows the last line while its word still grows."""

    def __init__(self, collector: WordCollector, *, live: bool) -> None:
        self._collector = collector
        self._live = live
        self._printed = 0

    def update(self) -> None:
        """Print what is new."""
        start = _CLEAR_LINE if self._live else ""
        for word in self._collector.words[self._printed :]:
            click.echo(start + _line(word))
        self._printed = len(self._collector.words)
        if self._live and self._collector.current is not None:
            click.echo(start + _line(self._collector.current), nl=False)


def _line(word: TimedWord) -> str:
    time_of_word = "       " if word.end is None else f"{word.end:5.2f} s"
    return f"  {time_of_word}  {word.text}"


def _report(text: str, measures: Measures) -> None:
    click.echo(
        f"""
  text                {text}
  word error rate     {measures.word_error_rate:.1%} \
({measures.errors} errors in {measures.words_said} words)
  time to first word  {_seconds(measures.time_to_first_word)}
  mean word latency   {_seconds(measures.mean_word_latency)} \
(over {measures.words_matched} recognised words)

What the figures mean: voxtide demo --help"""
    )


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f} s"
