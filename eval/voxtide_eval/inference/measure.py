"""A dataset through a server: from what is asked for to a manifest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voxtide import AsyncClient, Timeout
from voxtide.config import Endpoint

from ..datasets import Dataset, DatasetError, Utterance, load
from ..manifest import Run
from .files import File
from .live import Live
from .options import Options, Server
from .run import Hear, Tally, carry_out
from .server import Served, described

PATIENCE = Timeout(response=3600.0, feed=300.0, silence=120.0, final=300.0)
"""Nobody waits for a run: what is slow is measured as it is."""
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Measured:
    """What came of a run.

    Attributes:
        path: of the manifest.
        run: that it is.
        tally: how many utterances it has, and errors.
    """

    path: Path
    run: Run
    tally: Tally


async def measure(
    dataset: Dataset,
    server: Server,
    options: Options,
    tell: Callable[[Tally], None] = lambda tally: None,
) -> Measured:
    """Hear a dataset, or what is left of it from the last time, and write its manifest.

    Raises:
        VoxtideError: the server is not there, or lets nobody in.
        server.ModelError: it has no such model.
        DatasetError: the dataset is not there, or broken.
        part.OtherRunError, part.InUseError, manifest.ManifestError: see `part.Part`.
    """
    endpoint = Endpoint.resolve(server.url, server.api_key)
    served = await described(endpoint, server.model, Timeout())
    run = run_of(dataset, server, served, options)
    path = options.folder / name_of(run)
    tally = await carry_out(
        path,
        run,
        _utterances(dataset, options),
        _ear(server, served.model, options),
        parallel=options.parallel,
        tell=tell,
    )
    return Measured(path, run, tally)


def why_missing(dataset: Dataset) -> str | None:
    """Why a dataset cannot be used on this machine; None: it can."""
    try:
        first = next(dataset.source.utterances(dataset, dataset.split, None), None)
    except DatasetError as problem:
        return str(problem)
    return None if first is not None else f"{dataset.name}: it has no utterances"


def run_of(dataset: Dataset, server: Server, served: Served, options: Options) -> Run:
    """What all utterances of a run have in common."""
    return Run(
        dataset=dataset.name,
        split=options.split or dataset.split,
        revision=dataset.revision,
        language=dataset.language,
        metric=dataset.metric,
        normaliser=dataset.normaliser,
        way=options.way,
        model=served.model,
        delay_ms=server.delay_ms if served.delay_ms is None else served.delay_ms,
        server=served.server,
        settings=options.settings(server.dialect),
        label=server.label or served.label,
    )


def name_of(run: Run) -> str:
    """Of a run's manifest: other runs of a sweep have others."""
    delay = [] if run.delay_ms is None else [f"{run.delay_ms}ms"]
    parts = [run.dataset, run.split, run.label, *delay, run.way]
    return ".".join(_NOT_IN_A_NAME.sub("-", part).strip("-.") for part in parts) + ".jsonl"


def _ear(server: Server, model: str, options: Options) -> Hear:
    """The way that is asked for. Nothing is sent twice: latencies are those of one try."""
    client = AsyncClient(server.url, server.api_key, timeout=PATIENCE, max_retries=0)
    if options.way == "file":
        return File(client, model, options.tell_language)
    return Live(client, server.dialect, model, options.way == "realtime", options.tell_language)


def _utterances(dataset: Dataset, options: Options) -> Iterator[Utterance]:
    return load(dataset, split=options.split, limit=options.limit, seed=options.seed)
