"""The table of datasets, and the way from a name to utterances."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eval.dataset_files import jsonl, recording
from voxtide_eval.datasets import DATASETS, DatasetError, MissingError, definition, load
from voxtide_eval.datasets.hub import Hub
from voxtide_eval.datasets.loading import LOCAL
from voxtide_eval.normalise import NORMALISERS

LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "zh"]


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LOCAL, raising=False)


def test_what_is_in_the_table() -> None:
    for corpus in ("fleurs", "common-voice"):
        assert [name for name in DATASETS if name.startswith(f"{corpus}-")] == [
            f"{corpus}-{language}" for language in LANGUAGES
        ]
    assert {
        "librispeech-clean", "librispeech-other", "librispeech-clean-long", "gigaspeech",
        "voxpopuli", "tedlium", "tedlium-long", "earnings21-long", "earnings22", "earnings22-long",
        "spgispeech", "ami", "chime4", "switchboard", "callhome", "meanwhile",
        "nano", "nano-demo", "asterisk-en", "asterisk-ru", "librivox", "audioeval-hi",
        "silence", "noise-white", "noise-pink",
    } <= set(DATASETS)  # fmt: skip


def test_definitions_are_complete() -> None:
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.normaliser in NORMALISERS
        assert len(dataset.language) == 2
        assert dataset.title
        assert dataset.licence
        assert dataset.split


def test_languages_without_spaces_are_scored_by_character() -> None:
    by_character = {d.language for d in DATASETS.values() if d.metric == "cer"}
    assert by_character == {"ja", "zh"}
    for dataset in DATASETS.values():
        assert (dataset.normaliser == "characters") == (dataset.metric == "cer")


def test_what_is_not_pinned_says_so() -> None:
    on_hub = [d for d in DATASETS.values() if isinstance(d.source, Hub)]
    assert all(d.pinned or "not pinned" in d.note.lower() for d in on_hub)
    assert {d.name for d in on_hub if d.pinned} >= {
        "librispeech-clean", "librispeech-other", "earnings21-long", "earnings22-long",
        *(f"fleurs-{language}" for language in LANGUAGES),
        *(f"common-voice-{language}" for language in LANGUAGES),
    }  # fmt: skip


def test_nano_is_read_from_the_repository() -> None:
    utterances = list(load("nano"))
    assert len(utterances) == 14
    clip = next(u for u in utterances if u.id == "sentence-176-flite-kal16.flac")
    assert clip.speaker == "flite-kal16"
    assert clip.reference.split() == [word.text for word in clip.words]
    assert clip.words[-1].end < clip.seconds


def test_a_folder_or_a_listing_is_a_dataset(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    listing = jsonl(tmp_path / "calls.jsonl", {"audio": "a.wav", "text": "もしもし"})
    dataset = definition(str(listing), language="ja")
    assert (dataset.name, dataset.language, dataset.revision) == ("calls", "ja", "")
    assert (dataset.metric, dataset.normaliser, dataset.pinned) == ("cer", "characters", False)
    (utterance,) = load(str(listing), language="ja")
    assert (utterance.reference, utterance.language) == ("もしもし", "ja")
    (tmp_path / "calls.jsonl").rename(tmp_path / "manifest.jsonl")
    assert [u.id for u in load(str(tmp_path))] == ["a.wav"]


def test_a_local_copy_goes_before_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording(tmp_path / "a.wav")
    jsonl(tmp_path / "switchboard.jsonl", {"audio": "a.wav", "text": "uh-huh"})
    jsonl(tmp_path / "fleurs-de" / "manifest.jsonl", {"audio": "../a.wav", "text": "ja"})
    assert [u.reference for u in load("switchboard", local=tmp_path)] == ["uh-huh"]
    monkeypatch.setenv(LOCAL, str(tmp_path))
    (utterance,) = load("fleurs-de")
    assert (utterance.reference, utterance.language) == ("ja", "de")
    dataset = definition("fleurs-de")
    assert (dataset.revision, dataset.published) == ("", (("table7", "de"),))
    assert definition("fleurs-fr") is DATASETS["fleurs-fr"]


def test_a_licensed_dataset_says_where_it_is_to_be_had() -> None:
    with pytest.raises(MissingError, match=r"switchboard: LDC2002S09.*VOXTIDE_EVAL_DATA"):
        next(load("switchboard"))


def test_a_name_that_is_not_in_the_table() -> None:
    with pytest.raises(DatasetError, match=r"fleurs-dd: there is no such.*near: fleurs-de"):
        load("fleurs-dd")


def test_a_sample_keeps_the_order_and_is_the_seeds() -> None:
    everything = [u.id for u in load("nano")]
    drawn = [u.id for u in load("nano", limit=5, seed=3)]
    assert len(drawn) == 5
    assert drawn == sorted(drawn, key=everything.index) != everything[:5]
    assert drawn == [u.id for u in load("nano", limit=5, seed=3)]
    assert drawn != [u.id for u in load("nano", limit=5, seed=4)]
    assert [u.id for u in load("nano", limit=99, seed=3)] == everything
    assert [u.id for u in load("nano", limit=5)] == everything[:5]


def test_a_limit_of_none() -> None:
    with pytest.raises(ValueError, match="limit must be 1 or more, not 0"):
        load("nano", limit=0)
