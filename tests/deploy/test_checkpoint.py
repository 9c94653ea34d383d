"""Finding a model's files, and serving them at another delay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voxtide_server import checkpoint
from voxtide_server.start_errors import CheckpointError, UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint whose delay is 480 ms, and an empty cache beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "params.json").write_text("{}")
    (folder / "consolidated.safetensors").write_bytes(b"weights")
    tokenizer = {"vocab": ["é"], "audio": {"frame_rate": 12.5, "transcription_delay_ms": 480.0}}
    (folder / "tekken.json").write_text(json.dumps(tokenizer))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_nano_comes_with_the_package() -> None:
    model = checkpoint.resolve("nano")
    assert (model.name, model.folder) == ("nano", checkpoint.NANO_FOLDER)
    assert model.delay_ms in checkpoint.DELAYS_MS


def test_a_folder_is_served_under_its_name_and_with_its_own_delay(folder: Path) -> None:
    assert checkpoint.resolve(str(folder)) == checkpoint.Checkpoint("model", folder, 480)


def test_its_own_delay_needs_no_overlay(folder: Path) -> None:
    assert checkpoint.resolve(str(folder), 480).folder == folder


def test_another_delay_leaves_the_checkpoint_as_it_is(folder: Path) -> None:
    before = contents(folder)
    model = checkpoint.resolve(str(folder), 960)
    assert (model.name, model.delay_ms) == ("model", 960)
    assert checkpoint.read_delay_ms(model.folder) == 960
    assert contents(folder) == before
    changed = contents(model.folder)
    tokenizer = json.loads(changed.pop("tekken.json"))
    assert tokenizer == {
        "vocab": ["é"],
        "audio": {"frame_rate": 12.5, "transcription_delay_ms": 960},
    }
    assert changed.items() <= before.items()
    assert (model.folder / "consolidated.safetensors").is_symlink()


def test_the_same_delay_has_the_same_folder(folder: Path) -> None:
    first, second = (checkpoint.overlay(folder, 960) for _ in range(2))
    assert first == second
    assert checkpoint.overlay(folder, 1200) != first


def test_a_changed_checkpoint_has_another_overlay(folder: Path) -> None:
    first = checkpoint.overlay(folder, 960)
    tokenizer = json.loads((folder / "tekken.json").read_text()) | {"vocab": ["a", "b"]}
    (folder / "tekken.json").write_text(json.dumps(tokenizer))
    assert json.loads((checkpoint.overlay(folder, 960) / "tekken.json").read_text())["vocab"] == [
        "a",
        "b",
    ]
    assert checkpoint.overlay(folder, 960) != first


def test_nothing_half_made_stays_in_the_cache(folder: Path) -> None:
    overlay = checkpoint.overlay(folder, 960)
    assert [path.name for path in overlay.parent.iterdir()] == [overlay.name]


def test_a_cache_that_cannot_be_written_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "file"))
    with pytest.raises(CheckpointError, match="XDG_CACHE_HOME chooses another place"):
        checkpoint.resolve(str(folder), 960)


@pytest.mark.parametrize("delay_ms", [-80, 0, 81, 1280, 2320, 4800])
def test_a_delay_that_the_model_was_not_made_for_is_refused(folder: Path, delay_ms: int) -> None:
    with pytest.raises(UsageError, match=f"a delay of {delay_ms} ms"):
        checkpoint.resolve(str(folder), delay_ms)


@pytest.mark.parametrize("delay_ms", [80, 240, 1200, 2400])
def test_the_delays_of_the_model_are_taken(folder: Path, delay_ms: int) -> None:
    assert checkpoint.resolve(str(folder), delay_ms).delay_ms == delay_ms


@pytest.mark.parametrize("name", ["params.json", "tekken.json", "consolidated.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=rf"{name[:12]}.* is missing in {folder}$"):
        checkpoint.resolve(str(folder))


def test_a_link_into_nowhere_counts_as_missing(folder: Path) -> None:
    (folder / "consolidated.safetensors").unlink()
    (folder / "consolidated.safetensors").symlink_to(folder / "gone")
    with pytest.raises(CheckpointError, match="is missing"):
        checkpoint.resolve(str(folder))


@pytest.mark.parametrize("model", ["nowhere", "./a/b", "/no/such", "a/b/c", "mistralai/", ""])
def test_what_is_no_folder_and_no_id_is_refused_without_a_network(model: str) -> None:
    with pytest.raises(CheckpointError, match=r"^no checkpoint folder"):
        checkpoint.resolve(model)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "cannot read"),
        ("[]", "this is not a speech model"),
        ('{"audio": null}', "this is not a speech model"),
        ('{"audio": {}}', "this is not a streaming speech model"),
        ('{"audio": {"transcription_delay_ms": "480"}}', "this is not a streaming speech model"),
        ('{"audio": {"transcription_delay_ms": 480.5}}', "this is not a streaming speech model"),
        ('{"audio": {"transcription_delay_ms": NaN}}', "this is not a streaming speech model"),
    ],
)
def test_a_tokenizer_without_a_delay_is_one_line(folder: Path, text: str, part: str) -> None:
    (folder / "tekken.json").write_text(text)
    with pytest.raises(CheckpointError, match=part) as caught:
        checkpoint.resolve(str(folder))
    assert "\n" not in str(caught.value)
