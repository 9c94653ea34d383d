"""What a dataset is: where it comes from, how it is scored; and what it is made of."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from ..manifest import Word
from .audio import Audio

Metric = Literal["wer", "cer"]
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Utterance:
    """Audio and what is said in it.

    Args:
        id: unique in the dataset and split.
        reference: what is said, as the dataset writes it; empty: nothing (silence, noise).
        language: ISO 639-1 code.
        speaker: empty where the dataset does not say.
        seconds: of audio.
        words: of the reference, with times in seconds of the audio; empty where the dataset has
            none. Where it has ends only, a word starts where the one before ends.
        audio: not opened yet.
    """

    id: str
    reference: str
    language: str
    speaker: str
    seconds: float
    words: tuple[Word, ...]
    audio: Audio


class Source(Protocol):
    """Where the utterances of a dataset come from."""

    @property
    def revision(self) -> str:
        """What a run names as the dataset's revision; empty where it has none."""

    def count(self, dataset: Dataset, split: str) -> int:
        """How many utterances a split has; no audio is read.

        Raises:
            DatasetError: it is not there (MissingError), or cannot be used.
        """

    def utterances(
        self, dataset: Dataset, split: str, only: Container[int] | None
    ) -> Iterator[Utterance]:
        """The utterances of a split in its order.

        Args:
            dataset: whose source this is.
            split: such as "test".
            only: positions in that order that are wanted; None: all of them.

        Raises:
            DatasetError: it is not there (MissingError), or cannot be used.
        """


@dataclass(frozen=True)
class Dataset:
    """A dataset in one language and how it is scored.

    Args:
        name: by which it is asked for, such as "fleurs-de".
        title: what papers call it.
        language: ISO 639-1 code.
        split: the one that is measured unless another is asked for.
        licence: an SPDX identifier, or a sentence.
        metric: how papers score it. Korean is also scored the other way.
        normaliser: a name in `normalise.NORMALISERS`.
        source: where it comes from.
        published: cells of `published` that it reproduces: (table, column).
        leave_out: references, as the dataset writes them, that mark segments not to be scored.
        note: what else one has to know before one believes a number.
    """

    name: str
    title: str
    language: str
    split: str
    licence: str
    metric: Metric
    normaliser: str
    source: Source
    published: tuple[tuple[str, str], ...] = ()
    leave_out: tuple[str, ...] = ()
    note: str = ""

    @property
    def revision(self) -> str:
        """Of its source; empty: it is not pinned, or has none."""
        return self.source.revision

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, so that the data cannot change under a run."""
        return _COMMIT.fullmatch(self.revision) is not None
