"""A run: every utterance of a dataset, several at once, kept as they are heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from voxtide import AuthenticationError, OverloadedError, UnreachableError, VoxtideError
from voxtide.retry import Backoff

from .. import manifest
from ..datasets.definition import Utterance
from ..datasets.error import DatasetError
from ..manifest import Heard, Run
from .part import Part

PATIENCE_S = 600.0
"""How long an utterance waits for a server that has no room."""


Hear = Callable[[Utterance], Awaitable[Heard]]


@dataclass(frozen=True)
class Tally:
    """How far a run has come.

    Attributes:
        done: utterances in all.
        failed: those of them that have an error.
        kept: those of them that had been heard before this process began.
    """

    done: int = 0
    failed: int = 0
    kept: int = 0


async def carry_out(
    path: Path,
    run: Run,
    utterances: Iterable[Utterance],
    hear: Hear,
    *,
    parallel: int,
    tell: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Hear what has not been heard yet, and write the manifest once all has.

    Utterances are taken as there is room for them, so a dataset that is streamed is never far
    ahead. An error of the server becomes the utterance's; one that every other utterance would
    meet too ends the run, which can be gone on with.

    Args:
        path: of the manifest.
        utterances: of the dataset, in its order.
        hear: one of them; raises VoxtideError, OSError or DatasetError.
        parallel: how many at once.
        tell: called whenever one more is done.

    Raises:
        UnreachableError, AuthenticationError: the server is not there, or lets nobody in.
        DatasetError: the dataset is not there, has an id twice, or no utterance at all.
        part.OtherRunError, part.InUseError, manifest.ManifestError: see `part.Part`.
    """
    if (whole := finished(path, run)) is not None:
        return whole
    with Part(path, run) as part:
        work = _Work(part, _Queue(utterances), hear, tell)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(parallel):
                    tasks.create_task(work.go_on())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        if not work.queue.order:
            raise DatasetError(f"{run.dataset}, {run.split}: there is no utterance")
        part.finish(work.queue.order)
    return work.tally


def finished(path: Path, run: Run) -> Tally | None:
    """What is there, if it is this run and nothing is left to be done."""
    if not path.exists():
        return None
    there = manifest.read(path)
    count = len(there.heard)
    whole = there.run == run and not any(heard.error for heard in there.heard)
    return Tally(count, 0, count) if whole else None


class _Queue:
    """The utterances of a dataset, each handed to whoever is free."""

    def __init__(self, utterances: Iterable[Utterance]) -> None:
        self._utterances: Iterator[Utterance] = iter(utterances)
        self._taking = asyncio.Lock()
        self.order: dict[str, None] = {}

    async def take(self) -> Utterance | None:
        """The next one; None at the end. It may be loaded from elsewhere: in a thread."""
        async with self._taking:
            utterance = await asyncio.to_thread(next, self._utterances, None)
            if utterance is None:
                return None
            if utterance.id in self.order:
                raise DatasetError(f"the dataset has two utterances {utterance.id!r}")
            self.order[utterance.id] = None
            return utterance


class _Work:
    """What the workers of a run share."""

    def __init__(
        self,
        part: Part,
        queue: _Queue,
        hear: Hear,
        tell: Callable[[Tally], None],
    ) -> None:
        self.queue = queue
        self.tally = Tally()
        self._part, self._hear, self._tell = part, hear, tell
        self._before = frozenset(part.heard)

    async def go_on(self) -> None:
        """Take utterances until there are no more."""
        while (utterance := await self.queue.take()) is not None:
            kept = utterance.id in self._before
            if not kept:
                self._part.add(await self._heard(utterance))
            self._count(kept, bool(self._part.heard[utterance.id].error))

    async def _heard(self, utterance: Utterance) -> Heard:
        try:
            return await patiently(lambda: self._hear(utterance))
        except (UnreachableError, AuthenticationError):
            raise
        except (VoxtideError, OSError, DatasetError) as error:
            return without(utterance, error)

    def _count(self, kept: bool, failed: bool) -> None:
        now = self.tally
        self.tally = Tally(now.done + 1, now.failed + failed, now.kept + kept)
        self._tell(self.tally)


def without(utterance: Utterance, error: Exception) -> Heard:
    """An utterance without a transcript, and why."""
    code = getattr(error, "code", type(error).__name__)
    return replace(blank(utterance), error=f"{code}: {error}")


def blank(utterance: Utterance) -> Heard:
    """An utterance of which nothing has been heard yet."""
    return Heard(
        utterance.id,
        utterance.seconds,
        utterance.reference,
        "",
        reference_words=utterance.words,
        speaker=utterance.speaker,
        audio="" if utterance.audio.path is None else str(utterance.audio.path),
    )


async def patiently(hear: Callable[[], Awaitable[Heard]]) -> Heard:
    """Try again while the server has no room."""
    backoff, attempt = Backoff(first=0.5, longest=10.0), 0
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    while True:
        try:
            return await hear()
        except OverloadedError as full:
            wait = backoff.delay(attempt, full.retry_after)
            if loop.time() + wait > until:
                raise
        attempt += 1
        await asyncio.sleep(wait)
