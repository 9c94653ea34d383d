"""`voxtide batch`: a folder or a bucket of audio in, a JSON document for each object out."""

import asyncio

import click

from ..errors import UnreachableError, VoxtideError
from ..upload import OnProgress
from . import document
from .document import Served
from .exits import ExitCode, Failure
from .file_options import FileOptions, file_options
from .inputs import is_media
from .manifest import Manifest
from .report import Outcome, described
from .store import Store, Version, scratch
from .work import run

_EPILOG = """\b
Examples:
  voxtide batch talks/ transcripts/
  voxtide batch s3://talks/2026 s3://transcripts/2026 --jobs 16
  voxtide batch gs://talks transcripts/ --json | jq .status

SRC and DEST are folders or buckets: paths, or URLs that fsspec knows.  They need `pip install
'voxtide[batch]'`; s3:// needs s3fs beside it, gs:// gcsfs.  DEST must not be in SRC.

Each audio or video a/b.wav becomes DEST/a/b.wav.json: {source, size, etag, mtime, text,
segments, words, duration, language, delay_ms, model, server, created, voxtide}, times in seconds.
DEST/manifest.jsonl has a line for each object in SRC: done, failed with the error's code, or
skipped (no audio by its name).

A second run does nothing; objects that are new, have changed (size, and etag or time) or had
failed are done, and with --force all.  It goes on where it was interrupted.

\b
Exit codes:
  0 all done   1 an object failed   2 wrong usage   3 server unreachable   130 Ctrl-C
"""


@click.command("batch", epilog=_EPILOG)
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DEST")
@file_options
def command(source: str, destination: str, options: FileOptions) -> None:
    """Transcribe all audio and video in a folder or a bucket."""
    here, there = Store.opened(source), Store.opened(destination)
    if here.holds(there):
        raise click.UsageError("DEST must not be SRC, nor a folder in it")
    try:
        code = _run(here, there, options)
    except OSError as error:
        raise Failure(str(error)) from error
    click.get_current_context().exit(code)


def _run(source: Store, destination: Store, options: FileOptions) -> ExitCode:
    if not source.is_folder():
        raise click.UsageError(f"{source.address('')} is no folder")
    batch = _Batch(source, destination, options)
    try:
        return run(batch.objects, batch.outcome, options)
    finally:
        batch.manifest.close()


class _Batch:
    """What is done with each object.

    Attributes:
        objects: Audio and video by their names: the name, and which content it has.
        manifest: To be closed at the end.
    """

    def __init__(self, source: Store, destination: Store, options: FileOptions) -> None:
        self._source = source
        self._destination = destination
        self._options = options
        self._client = options.client()
        self._asking = asyncio.Lock()
        self._served: Served | None = None
        self.manifest = Manifest.read(destination)
        self._documents = destination.versions().keys()
        self.objects: dict[str, tuple[str, Version]] = {}
        for name, version in source.versions().items():
            if is_media(name):
                self.objects[name] = name, version
            elif self.manifest.status(name, version) is None:
                self.manifest.set(name, version, "skipped", reason="not_audio")

    async def outcome(self, item: tuple[str, Version], on_progress: OnProgress | None) -> Outcome:
        """Transcribe an object, unless that is done, and note what became of it."""
        name, version = item
        to = self._destination.address(name + document.SUFFIX)
        if await asyncio.to_thread(self._is_done, name, version):
            return Outcome("skipped", to)
        try:
            await self._transcribe(name, version, on_progress)
        except UnreachableError:
            raise
        except (VoxtideError, OSError) as error:
            self.manifest.set(name, version, "failed", error=described(error))
            raise
        finally:
            await self.manifest.keep()
        return Outcome("done", to)

    async def _transcribe(
        self, name: str, version: Version, on_progress: OnProgress | None
    ) -> None:
        served = await self._server()
        with scratch() as folder:
            path = await asyncio.to_thread(self._source.fetch, name, folder)
            transcript = await self._client.transcribe(
                path,
                model=self._options.model,
                language=self._options.language,
                on_progress=on_progress,
            )
        data = document.document(self._source.address(name), version, transcript, served)
        written = name + document.SUFFIX
        await asyncio.to_thread(self._destination.write, written, data)
        self.manifest.set(name, version, "done", document=written)

    async def _server(self) -> Served:
        """Asked once, and only where there is something to do."""
        async with self._asking:
            if self._served is None:
                endpoint = self._options.endpoint()
                self._served = await Served.asked(endpoint, self._options.model)
        return self._served

    def _is_done(self, name: str, version: Version) -> bool:
        """Whether there is a document of this content; the manifest spares reading it."""
        written = name + document.SUFFIX
        if self._options.force or written not in self._documents:
            return False
        if self.manifest.status(name, version) == "done":
            return True
        if document.version_in(self._destination.read(written)) != version:
            return False
        self.manifest.set(name, version, "done", document=written)
        return True
