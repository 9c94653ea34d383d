"""From a dataset's name to its utterances."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

from . import layouts
from .definition import Dataset, Utterance
from .error import DatasetError
from .listing import SUFFIXES
from .rows import Files
from .table import DATASETS, scored

LOCAL = "VOXTIDE_EVAL_DATA"
"""The environment variable that names a folder of datasets on this machine."""


def definition(name: str, *, language: str = "en", local: Path | None = None) -> Dataset:
    """The definition of a dataset.

    Args:
        name: in the table, or the path of a folder or listing (see `layouts.read`). Where the
            folder of local datasets has a folder NAME, or a listing NAME.jsonl or NAME.csv, a
            dataset of the table is read from there, and has no revision.
        language: of a folder or listing, as ISO 639-1 code.
        local: the folder of local datasets; None: the one that VOXTIDE_EVAL_DATA names, if any.

    Raises:
        DatasetError: there is no such dataset, folder or listing.
    """
    if name in DATASETS:
        path = _local(name, local)
        return DATASETS[name] if path is None else replace(DATASETS[name], source=_files(path))
    path = Path(name)
    if not path.is_dir() and not (path.is_file() and path.suffix in SUFFIXES):
        near = ", ".join(get_close_matches(name, DATASETS)) or "see the list of datasets"
        raise DatasetError(f"{name}: there is no such dataset, folder or listing; near: {near}")
    metric, normaliser = scored(language)
    return Dataset(
        name=path.stem if path.is_file() else path.resolve().name,
        title=str(path),
        language=language,
        split="test",
        licence="not stated",
        metric=metric,
        normaliser=normaliser,
        source=_files(path),
    )


def load(
    name: str | Dataset,
    split: str | None = None,
    limit: int | None = None,
    seed: int | None = None,
    *,
    language: str = "en",
    local: Path | None = None,
) -> Iterator[Utterance]:
    """The utterances of a dataset, one by one as they are asked for, in its order.

    Args:
        name: see `definition`; or a definition.
        split: None: the one that is measured as a rule.
        limit: how many there are at most, 1 or more; None: all.
        seed: of the sample that the limit draws, every utterance being as likely as any other;
            None: the first ones. A sample looks through the whole split twice, first without its
            audio.
        language: see `definition`.
        local: see `definition`.

    Raises:
        DatasetError: it cannot be used; MissingError: it is not on this machine.
        ValueError: the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be 1 or more, not {limit}")
    found = definition(name, language=language, local=local) if isinstance(name, str) else name
    return _utterances(found, split or found.split, limit, seed)


def _utterances(
    dataset: Dataset, split: str, limit: int | None, seed: int | None
) -> Iterator[Utterance]:
    only: frozenset[int] | None = None
    if limit is not None and seed is not None:
        count = dataset.source.count(dataset, split)
        only = frozenset(Random(seed).sample(range(count), min(limit, count)))
    yield from islice(dataset.source.utterances(dataset, split, only), limit)


def _files(path: Path) -> Files:
    return Files(partial(layouts.read, path))


def _local(name: str, local: Path | None) -> Path | None:
    folder = local or (Path(os.environ[LOCAL]) if os.environ.get(LOCAL) else None)
    if folder is None:
        return None
    if (folder / name).is_dir():
        return folder / name
    listings = (folder / f"{name}{suffix}" for suffix in sorted(SUFFIXES))
    return next((path for path in listings if path.is_file()), None)
