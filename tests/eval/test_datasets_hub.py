"""The hub's loader, on Parquet files that the library `datasets` wrote."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.eval.dataset_files import RATE, recording, tone
from voxtide_eval.datasets import DATASETS, Dataset, DatasetError, MissingError, load
from voxtide_eval.datasets.hub import Hub

TEXTS = ["one", "two", "", "ignore time segment in scoring", "five", "six", "seven"]


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """A folder with a split of seven rows, each of them a tone longer by 0.1 s."""
    datasets = pytest.importorskip("datasets")
    audio = []
    for number in range(len(TEXTS)):
        path = recording(tmp_path / "clips" / f"{number}.flac", 0.1 * (number + 1))
        audio.append({"bytes": path.read_bytes(), "path": path.name})
    rows = datasets.Dataset.from_dict(
        {
            "id": [f"/home/somebody/{number}.flac" for number in range(len(TEXTS))],
            "text": TEXTS,
            "speaker_id": [number // 2 for number in range(len(TEXTS))],
            "audio": audio,
        }
    ).cast_column("audio", datasets.Audio(sampling_rate=RATE, decode=False))
    folder = tmp_path / "hub"
    folder.mkdir()
    rows.to_parquet(folder / "test-00000-of-00001.parquet")
    return folder


def stored(folder: Path, /, **fields: Any) -> Dataset:
    source = replace(Hub(str(folder), speaker="speaker_id"), **fields)
    leave_out = ("ignore time segment in scoring",)
    return replace(DATASETS["tedlium"], name="stored", source=source, leave_out=leave_out)


def test_rows_are_utterances(parquet: Path) -> None:
    utterances = list(load(stored(parquet)))
    assert [u.reference for u in utterances] == ["one", "two", "five", "six", "seven"]
    assert [u.id for u in utterances][:3] == ["0.flac", "1.flac", "4.flac"]
    assert [u.speaker for u in utterances] == ["0", "0", "2", "2", "3"]
    assert [u.seconds for u in utterances] == pytest.approx([0.1, 0.2, 0.5, 0.6, 0.7])
    with utterances[2].audio.open() as source:
        heard = np.concatenate([piece.samples for piece in source.pieces])
    assert source.rate == RATE
    assert heard == pytest.approx(tone(0.5), abs=1e-3)
    assert utterances[0].audio.path is None  # it is in the row


def test_a_conversion_of_the_hub_has_a_folder_for_each_config(parquet: Path) -> None:
    """As google/fleurs has at the revision that the table names."""
    pytest.importorskip("datasets")
    whole = parquet / "test-00000-of-00001.parquet"
    for config in ("de_de", "en_us"):
        for split in ("test", "validation"):
            (parquet / config / split).mkdir(parents=True)
            (parquet / config / split / "0000.parquet").write_bytes(whole.read_bytes())
    whole.unlink()
    source = DATASETS["fleurs-de"].source
    assert isinstance(source, Hub)
    assert (source.folder, source.config) == ("de_de", None)
    assert len(list(load(stored(parquet, folder="de_de")))) == 5
    with pytest.raises(MissingError, match="fr_fr, test"):
        list(load(stored(parquet, folder="fr_fr")))


def test_it_is_streamed(parquet: Path) -> None:
    """The first utterance is there before the rest is read: the file of a later one is broken."""
    datasets = pytest.importorskip("datasets")
    rows = {"text": ["one", "two"], "audio": [recording(parquet / "a.flac").read_bytes(), b"x"]}
    table = datasets.Dataset.from_dict(
        {"text": rows["text"], "audio": [{"bytes": b, "path": None} for b in rows["audio"]]}
    ).cast_column("audio", datasets.Audio(decode=False))
    (parquet / "a.flac").unlink()
    table.to_parquet(parquet / "test-00000-of-00001.parquet")
    utterances = load(stored(parquet, id="", speaker=""))
    first = next(utterances)
    assert (first.id, first.reference, first.speaker) == ("000000", "one", "")
    with pytest.raises(DatasetError, match="stored, 000001: its audio cannot be read"):
        next(utterances)


def test_a_sample_is_drawn_from_all_rows(parquet: Path) -> None:
    everything = [u.id for u in load(stored(parquet))]
    drawn = [u.id for u in load(stored(parquet), limit=3, seed=1)]
    assert drawn == [u.id for u in load(stored(parquet), limit=3, seed=1)]
    assert drawn == sorted(drawn, key=everything.index)
    drawings = {tuple(u.id for u in load(stored(parquet), limit=3, seed=s)) for s in range(12)}
    assert len(drawings) > 3
    assert {id for drawing in drawings for id in drawing} == set(everything)
    assert [u.id for u in load(stored(parquet), limit=2)] == everything[:2]


def test_rows_are_counted_without_their_audio(
    parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    columns: list[list[str]] = []
    original = datasets.IterableDataset.__iter__

    def spy(self: Any) -> Any:
        for row in original(self):
            columns.append(sorted(row))
            yield row

    monkeypatch.setattr(datasets.IterableDataset, "__iter__", spy)
    dataset = stored(parquet)
    assert dataset.source.count(dataset, "test") == 5
    assert columns[0] == ["id", "speaker_id", "text"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"text": ("sentence", "words")}, "no row has a text in `sentence`, `words`; its fields"),
        ({"id": "path"}, "row 0: there is no field `path`"),
        ({"audio": "sound"}, r"stored, 0\.flac: `sound` has neither bytes nor a file"),
    ],
)
def test_fields_that_are_not_there(parquet: Path, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(DatasetError, match=problem):
        list(load(stored(parquet, **fields)))


def test_a_split_that_is_not_there(parquet: Path) -> None:
    with pytest.raises(MissingError, match=r"stored \(.*, default, dev\) cannot be streamed"):
        list(load(stored(parquet), "dev"))


def test_the_library_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingError, match=r"pip install 'voxtide\[eval\]'"):
        next(load("fleurs-de"))
