"""The published tables: complete, consistent with each other, and their averages."""

from __future__ import annotations

from collections import defaultdict
from statistics import mean

import pytest

from voxtide_eval.datasets import DATASETS
from voxtide_eval.published import AVERAGE, Table, rows, sources, tables

OURS = "Voxtral Realtime"
DELAYS = (240, 480, 960, 2400)
LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "zh"]
ROUNDED = 0.005 + 1e-9
"""How far a mean of values in hundredths may lie from the printed one, rounded likewise."""

Line = dict[str, float]


def lines(table: str) -> dict[tuple[str, int | None, str], Line]:
    """By model, delay and source: column -> value."""
    found: defaultdict[tuple[str, int | None, str], Line] = defaultdict(dict)
    for row in rows(table):
        found[row.model, row.delay_ms, row.source][row.column] = row.value
    return found


def ours(table: str, delay_ms: int) -> Line:
    return lines(table)[OURS, delay_ms, "paper"]


AVERAGED = [table for table in tables() if table.averaged]


@pytest.mark.parametrize("table", AVERAGED, ids=lambda table: table.name)
def test_averages_are_those_of_the_columns(table: Table) -> None:
    checked = 0
    for (model, _, _), line in lines(table.name).items():
        if AVERAGE in line:
            recomputed = mean(line[column] for column in table.averaged)
            # The parts are rounded as well: one line of the paper's is 0.0075 off.
            assert abs(recomputed - line[AVERAGE]) <= 2 * ROUNDED, (model, recomputed)
            checked += 1
    assert checked >= 5


def test_every_average_is_checked() -> None:
    with_average = {
        row.table for name in tables() for row in rows(name.name) if row.column == AVERAGE
    }
    assert (
        with_average
        == {table.name for table in AVERAGED}
        == {
            "table5",
            "table6",
            "table7",
            "table8",
            "leaderboard-en",
            "leaderboard-long",
            "leaderboard-ml",
        }
    )


@pytest.mark.parametrize(
    ("delay_ms", "printed", "with_arabic"),
    [(240, 19.22, 21.98), (480, 15.24, 17.81), (960, 11.99, 14.81), (2400, 10.47, 13.54)],
)
def test_common_voice_average_leaves_arabic_out(
    delay_ms: int, printed: float, with_arabic: float
) -> None:
    line = ours("table8", delay_ms)
    assert line[AVERAGE] == printed
    assert abs(mean(line[name] for name in LANGUAGES if name != "ar") - printed) <= ROUNDED
    assert abs(mean(line[name] for name in LANGUAGES) - with_arabic) <= ROUNDED
    assert "ar" not in next(table for table in tables() if table.name == "table8").averaged


@pytest.mark.parametrize("delay_ms", DELAYS)
def test_fleurs_average_has_all_languages(delay_ms: int) -> None:
    line = ours("table7", delay_ms)
    assert sorted(set(line) - {AVERAGE}) == LANGUAGES
    assert abs(mean(line[name] for name in LANGUAGES) - line[AVERAGE]) <= ROUNDED


@pytest.mark.parametrize(
    ("column", "table"),
    [("En-Short", "table5"), ("En-Long", "table6"), ("FLEURS", "table7"), ("MCV", "table8")],
)
def test_table_3_has_the_averages_of_the_others(column: str, table: str) -> None:
    detailed = lines(table)
    checked = 0
    for key, line in lines("table3").items():
        if column in line:
            assert line[column] == detailed[key][AVERAGE], key
            checked += 1
    assert checked >= 8


def test_table_4_ends_where_table_3_is() -> None:
    padded = lines("table4")[f"{OURS}, 32 frames of left padding", 480, "paper"]
    assert padded == ours("table3", 480)


def test_more_delay_is_fewer_errors() -> None:
    for table, column in (("table7", AVERAGE), ("table8", AVERAGE), ("table6", AVERAGE)):
        curve = [ours(table, delay)[column] for delay in DELAYS]
        assert curve == sorted(curve, reverse=True)


def test_160_ms_is_the_cards_alone() -> None:
    fastest = [row for name in tables() for row in rows(name.name) if row.delay_ms == 160]
    assert {row.table for row in fastest} == {"table7"}
    assert {row.source for row in fastest} == {"card"}
    line = lines("table7")[OURS, 160, "card"]
    assert abs(mean(line[name] for name in LANGUAGES) - 12.60) <= ROUNDED
    assert line[AVERAGE] == 12.60


def test_the_cards_short_table_is_named_by_its_offline_row_and_differs_in_the_other() -> None:
    """The card has other names over these columns. Its row of the offline model equals the
    paper's under the names here; its row of ours equals the paper's nowhere."""
    card, paper = lines("card-short"), lines("table5")
    offline = "Voxtral Mini Transcribe V2"
    common = ["GS", "VP", "SB", "C-4", "SPGI"]  # the paper has no AMI
    theirs, printed = card[offline, None, "card"], paper[offline, None, "paper"]
    assert [theirs[name] for name in common] == [printed[name] for name in common]
    mine = card[OURS, 480, "card"]
    assert all(mine[name] != ours("table5", 480)[name] for name in common)


def test_the_anchor_that_can_be_reproduced() -> None:
    line = lines("leaderboard-en")[OURS, None, "leaderboard"]
    assert (line[AVERAGE], line["LS-C"], line["LS-O"]) == (7.68, 2.08, 5.52)


def test_normalisation_moves_more_than_the_delay_does() -> None:
    raw = lines("unnormalised")[f"{OURS}, vLLM", None, "transformers"]
    assert raw["fleurs_en"] - ours("table7", 480)["en"] > 7
    assert ours("table7", 240)["en"] - ours("table7", 2400)["en"] < 2


def test_sources_are_named() -> None:
    used = {row.source for name in tables() for row in rows(name.name)}
    assert used == set(sources())


def test_a_table_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="'table9'"):
        rows("table9")


def test_datasets_name_cells_that_are_there() -> None:
    cells = {(row.table, row.column) for name in tables() for row in rows(name.name)}
    for dataset in DATASETS.values():
        assert set(dataset.published) <= cells, dataset.name
    named = {cell for dataset in DATASETS.values() for cell in dataset.published}
    papers = {"table5", "table6", "table7", "table8", "leaderboard-en", "leaderboard-long"}
    assert {cell for cell in named if cell[0] in papers} == {
        (table, column)
        for table, column in cells
        if table in papers and column not in (AVERAGE, "RTFx")
    }
