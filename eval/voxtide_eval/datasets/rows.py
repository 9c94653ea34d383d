"""Utterances whose audio lies in files: the lines of a listing, of a folder, of a package."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..manifest import Word
from .audio import File, seconds_of
from .definition import Dataset, Utterance
from .error import DatasetError

AUDIO_SUFFIXES = frozenset({".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"})


@dataclass(frozen=True)
class Row:
    """An utterance whose audio has not been looked at.

    Args:
        id: unique among the rows.
        reference: what is said.
        path: of its audio.
        speaker: empty where nobody knows.
        language: ISO 639-1 code; None: that of the dataset.
        words: of the reference, with times.
    """

    id: str
    reference: str
    path: Path
    speaker: str = ""
    language: str | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Files:
    """A source whose audio lies in files of this machine.

    Args:
        rows: the rows of a split.
    """

    rows: Callable[[str], Sequence[Row]]

    @property
    def revision(self) -> str:
        return ""

    def count(self, dataset: Dataset, split: str) -> int:
        return len(self.rows(split))

    def utterances(
        self, dataset: Dataset, split: str, only: Container[int] | None
    ) -> Iterator[Utterance]:
        for position, row in enumerate(self.rows(split)):
            if only is None or position in only:
                yield _utterance(row, dataset.language)


def checked(rows: Sequence[Row], where: str) -> Sequence[Row]:
    """The rows, if there are any and no two are called the same.

    Raises:
        DatasetError: otherwise.
    """
    if not rows:
        raise DatasetError(f"{where}: there are no utterances")
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise DatasetError(f"{where}: two utterances are called {row.id!r}")
        seen.add(row.id)
    return rows


def _utterance(row: Row, language: str) -> Utterance:
    if not row.path.is_file():
        raise DatasetError(f"{row.id}: there is no audio at {row.path}")
    audio = File(row.path)
    return Utterance(
        id=row.id,
        reference=row.reference,
        language=row.language or language,
        speaker=row.speaker,
        seconds=seconds_of(audio),
        words=row.words,
        audio=audio,
    )
