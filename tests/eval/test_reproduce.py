"""Published tables beside what was measured, and what is said of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from tests.client import fakes
from voxtide_eval import manifest
from voxtide_eval.command import main
from voxtide_eval.datasets import MissingError, hub
from voxtide_eval.published import rows
from voxtide_eval.reproduce.cells import LEADERBOARD, MODEL, PAPER, Figure, cells, needed
from voxtide_eval.reproduce.text import Line, markdown

from . import listening

LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "zh")


def _no_hub() -> NoReturn:
    raise MissingError("no hub here")


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of local datasets; the environment says nothing else."""
    for name in ("VOXTIDE_BASE_URL", "VOXTIDE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub, "_library", _no_hub)
    monkeypatch.setenv("VOXTIDE_EVAL_DATA", str(tmp_path))
    return tmp_path


def published(table: str, delay_ms: int | None) -> dict[str, float]:
    found = [row for row in rows(table) if row.model == MODEL and row.delay_ms == delay_ms]
    return {row.column: row.value for row in found}


def test_every_column_has_the_published_figure_of_its_delay() -> None:
    for table in PAPER:
        for delay in (240, 480, 960, 2400):
            line = {cell.column: cell.published for cell in cells(table, delay, {}, {})}
            assert line == published(table, delay)
            assert None not in line.values()


def test_the_average_over_common_voice_leaves_arabic_out() -> None:
    """With the paper's own values as figures, every average is the paper's."""
    figures = {
        f"{prefix}-{language}": Figure(published(table, 480)[language])
        for prefix, table in (("fleurs", "table7"), ("common-voice", "table8"))
        for language in LANGUAGES
    }
    for table, column in (("table7", "AVG"), ("table8", "AVG"), ("table3", "FLEURS")):
        (cell,) = [one for one in cells(table, 480, figures, {}) if one.column == column]
        assert cell.ours is not None
        assert cell.ours.value == pytest.approx(cell.published, abs=0.006)
    del figures["common-voice-ar"]
    assert cells("table8", 480, figures, {})[-1].ours is not None
    del figures["common-voice-de"]
    average = cells("table8", 480, figures, {})[-1]
    assert (average.ours, average.why) == (None, "table8: of its average are missing de")


def test_a_cell_says_why_it_is_missing() -> None:
    line = {cell.column: cell for cell in cells("table5", 480, {}, {"switchboard": "not for free"})}
    assert line["SB"].why == "not for free"
    assert line["CH"].why == "callhome: it was not run"


@pytest.mark.parametrize("tables", [PAPER, LEADERBOARD, ("table3",)])
def test_every_published_cell_has_a_dataset_or_is_known_to_have_none(
    tables: tuple[str, ...],
) -> None:
    reproduced = {cell for dataset in needed(tables) for cell in dataset.published}
    for table in set(tables) - {"table3"}:
        columns = set(published(table, 480 if table in PAPER else None)) - {"AVG", "RTFx"}
        lacking = {column for column in columns if (table, column) not in reproduced}
        assert all(column.endswith("_covost") for column in lacking), lacking
    assert len({dataset.name for dataset in needed(tables)}) == len(needed(tables))
    assert {"fleurs-de", "earnings21-long"} <= {one.name for one in needed(("table3",))}


def test_a_line_shows_difference_interval_and_failures() -> None:
    figures = {"librispeech-clean": Figure(2.5, 2.0, 3.0, failed=2)}
    text = markdown(["table5"], [Line("mine", 480, figures, {})], by_delay=True, limit=None)
    row = {
        line.split("|")[1].strip(): line.split("|")[2].strip() for line in text.splitlines()[4:9]
    }
    assert row["published, Voxtral Realtime, 480 ms"] == "2.08"
    assert row["mine, 480 ms"] == "2.50 (2.00–3.00), 2 failed"
    assert row["difference"] == "+0.42"


@pytest.fixture
def normaliser() -> None:
    """English is scored by the leaderboard's rules."""
    pytest.importorskip("whisper_normalizer")


@pytest.fixture
def live() -> Iterator[str]:
    with fakes.in_thread(listening.counting({"1003 samples"})) as fake:
        yield fake.base_url


def reproduce(*line: str) -> str:
    result = CliRunner().invoke(main, ["reproduce", *line])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("normaliser")
def test_what_is_here_is_run_and_scored(data: Path, live: str) -> None:
    listening.listing(data).rename(data / "librispeech-clean.jsonl")
    out = str(data / "runs")
    text = reproduce("paper", "--table", "table5", "--base-url", live, "--out", out)
    (path,) = Path(out).iterdir()
    there = manifest.read(path)
    assert (there.run.dataset, there.run.delay_ms) == ("librispeech-clean", 480)
    # Of ten words two are in the utterance that failed.
    assert "| voxtide nano, 480 ms | 20.00 (" in text
    assert ", 1 failed | missing" in text
    assert "- SB: missing. switchboard: LDC2002S09" in text
    assert "- AVG: missing. table5: of its average are missing LS-O, GS" in text


def test_where_nothing_is_here_no_server_is_asked(data: Path) -> None:
    text = reproduce("paper", "--serve", "nowhere", "--delays", "240,2400")
    assert "| published, Voxtral Realtime, 2400 ms | 1.82 |" in text
    assert "| nowhere, 240 ms | missing |" in text
    for table in PAPER:
        assert f"## {table}: " in text
    assert list(data.iterdir()) == []


@pytest.mark.usefixtures("normaliser")
def test_the_leaderboard_sends_files(data: Path) -> None:
    listening.listing(data).rename(data / "librispeech-other.jsonl")
    with listening.files() as fake:
        line = ["--base-url", fake.base_url, "--out", str(data / "runs"), "--limit", "3"]
        text = reproduce("leaderboard", *line)
    assert "At most 3 utterances of each dataset" in text
    assert "| unknown nano | missing | missing | missing | missing | 0.00 (" in text
    (path,) = (data / "runs").iterdir()
    first = json.loads(path.read_text().splitlines()[0])
    assert (first["way"], first["normaliser"]) == ("file", "leaderboard-en")
