"""Datasets of the Hugging Face hub, streamed: a row is in memory while it is heard, still packed.

The audio is not decoded by `datasets`, so that torchcodec is not needed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .audio import Bytes, File, seconds_of
from .definition import Dataset, Utterance
from .error import DatasetError, MissingError


@dataclass(frozen=True)
class Hub:
    """A dataset of the hub, or a local one in the same form (a folder of Parquet files).

    Args:
        path: such as "google/fleurs".
        config: of that dataset; None: it has one only, or folders instead.
        folder: of the revision, with a folder for each split. The hub's own conversions to
            Parquet have one for each config, and no configs.
        revision: a commit; empty: not pinned, so that the newest is taken.
        text: fields that may hold what is said; the first that a row has is taken.
        id: field that tells utterances apart; empty: their position does.
        speaker: field; empty: there is none.
        audio: field.
    """

    path: str
    config: str | None = None
    folder: str | None = None
    revision: str = ""
    text: tuple[str, ...] = ("text",)
    id: str = "id"
    speaker: str = ""
    audio: str = "audio"

    def count(self, dataset: Dataset, split: str) -> int:
        rows = self._rows(dataset, split, with_audio=False)
        return sum(self._is_scored(row, dataset) for row in rows)

    def utterances(
        self, dataset: Dataset, split: str, only: Container[int] | None
    ) -> Iterator[Utterance]:
        rows = self._rows(dataset, split, with_audio=True)
        scored = (row for row in rows if self._is_scored(row, dataset))
        for position, row in enumerate(scored):
            if only is None or position in only:
                yield self._utterance(row, dataset, position)

    def _rows(self, dataset: Dataset, split: str, *, with_audio: bool) -> Iterator[dict[str, Any]]:
        """The rows of a split. Columns of Parquet that are not wanted are not even fetched."""
        hf = _library()
        try:
            rows = hf.load_dataset(
                self.path,
                self.config,
                data_dir=self.folder,
                split=split,
                revision=self.revision or None,
                streaming=True,
            )
            rows = rows.cast_column(self.audio, hf.Audio(decode=False))
            names = rows.column_names or list(rows.features or ())
            yield from (
                rows
                if with_audio
                else rows.select_columns([name for name in names if name != self.audio])
            )
        except Exception as problem:  # of the network, the hub's answer, the split, the columns
            where = (
                f"{dataset.name} ({self.path}, {self.config or self.folder or 'default'}, {split})"
            )
            raise MissingError(f"{where} cannot be streamed: {problem}") from problem

    def _is_scored(self, row: Mapping[str, Any], dataset: Dataset) -> bool:
        """Segments that are marked as not to be scored, or have no text, are left out."""
        text = self._text(row, dataset)
        return bool(text) and text not in dataset.leave_out

    def _text(self, row: Mapping[str, Any], dataset: Dataset) -> str:
        for name in self.text:
            if isinstance(row.get(name), str):
                return str(row[name]).strip()
        fields = ", ".join(sorted(row))
        raise DatasetError(
            f"{dataset.name}: no row has a text in `{'`, `'.join(self.text)}`; its fields: {fields}"
        )

    def _utterance(self, row: Mapping[str, Any], dataset: Dataset, position: int) -> Utterance:
        id = self._id(row, dataset, position)
        audio = self._audio(row, dataset, id)
        return Utterance(
            id=id,
            reference=self._text(row, dataset),
            language=dataset.language,
            speaker=str(row[self.speaker]) if self.speaker else "",
            seconds=seconds_of(audio),
            words=(),
            audio=audio,
        )

    def _id(self, row: Mapping[str, Any], dataset: Dataset, position: int) -> str:
        if not self.id:
            return f"{position:06}"
        if self.id not in row:
            raise DatasetError(f"{dataset.name}, row {position}: there is no field `{self.id}`")
        return str(row[self.id]).rsplit("/", 1)[-1]  # some are paths on somebody's machine

    def _audio(self, row: Mapping[str, Any], dataset: Dataset, id: str) -> Bytes | File:
        value = row[self.audio] or {}
        if value.get("bytes"):
            return Bytes(value["bytes"], f"{dataset.name}, {id}")
        if value.get("path") and Path(value["path"]).is_file():
            return File(Path(value["path"]))
        raise DatasetError(f"{dataset.name}, {id}: `{self.audio}` has neither bytes nor a file")


def _library() -> Any:
    try:
        import datasets  # heavy, and needed for the hub only
    except ImportError:
        raise MissingError(
            "datasets of the hub are read by the package `datasets`: pip install 'voxtide[eval]'"
        ) from None
    return datasets
