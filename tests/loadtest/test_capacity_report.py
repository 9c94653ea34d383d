"""The page of a capacity search: it shows what the JSON says, and needs nothing else."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from tests.loadtest.results import BEGAN, searched
from tests.loadtest.test_report_page import NAMESPACES, Reader
from voxtide_loadtest.capacity import report
from voxtide_loadtest.capacity.comparison import comparison
from voxtide_loadtest.capacity.result import write_csv

PANELS = ("live streams", "word latency", "transcript lag")
OF_METRICS = ("CPU, cores", "KV cache in use, %", "one step of the engine")
SAMPLES = [
    {
        "unix_s": BEGAN + at,
        "cpu_seconds": 1.5 * at,
        "kv_cache_share": 0.01 * at,
        "engine_steps": 12.5 * at,
    }
    for at in range(60)
]


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """As a reader of the file has it."""
    found: dict[str, Any] = json.loads(json.dumps(searched("<i>mine", 2, SAMPLES)))
    return found


@pytest.fixture(scope="module")
def text(found: dict[str, Any]) -> str:
    return report.of_capacity(found)


def check_alone(text: str) -> None:
    """Nothing comes from elsewhere, and every part is closed."""
    reader = Reader(text)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(reader.tags)
    for _, name, value in reader.attributes:
        assert not name.startswith("on")
        if name.endswith(("href", "src")):
            assert value.startswith("#")
    assert not re.findall(r"url\((?!#)|@import", text)
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) <= NAMESPACES
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def drawn(text: str) -> list[str]:
    return re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)


def test_it_needs_nothing_else_and_escapes_names(text: str) -> None:
    check_alone(text)
    assert "<i>" not in text
    assert "&lt;i&gt;mine carries 2 live streams" in text


def test_the_verdict_is_the_first_sentence(found: dict[str, Any], text: str) -> None:
    lead = re.search(r'class="lead">([^<]*)<', text)
    assert lead is not None
    assert lead[1] == found["statement"].replace("<i>", "&lt;i&gt;")
    assert "carries 2 live streams, and 3 are too many. 3 of 3 trials with 2" in lead[1]
    share = found["capacity"]["least_share"]
    assert f"at least {share:.0%}".replace("%", " %") in lead[1]
    assert found["capacity"]["sessions"] == 2


def test_every_trial_is_shown_with_its_figures(found: dict[str, Any], text: str) -> None:
    rows = re.findall(r"<tr><th scope=\"row\">(\d+)</th>(.*?)</tr>", text)
    assert [int(number) for number, _ in rows] == [trial["number"] for trial in found["trials"]]
    for (_, cells), trial in zip(rows, found["trials"], strict=True):
        shown = re.findall(r"<td>(.*?)</td>", cells)
        p95 = trial["figures"]["times_ms"]["word_emission_latency"]["p95"]
        assert shown[:2] == [str(trial["search"]), str(trial["streams"])]
        assert shown[2:4] == [trial["purpose"], trial["outcome"]]
        assert shown[5] == f"{p95:.0f}"
        assert shown[9] == "; ".join(trial["problems"])
    assert "above 780" in rows[2][1]


def test_plots_show_slo_streams_and_metrics_on_one_axis(text: str) -> None:
    latency, course = drawn(text)
    assert "SLO, 780 ms" in latency
    assert ": passed" in latency
    assert ": failed" in latency
    for title in (*PANELS, *OF_METRICS):
        assert title in course
    assert course.count("minutes since the run began") == 1
    for svg in (latency, course):
        assert re.search(r'role="img" aria-label="[A-Z][^"]{20,}\."', svg)
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#ffffff", "#000000"}


def test_metrics_that_are_not_there_are_left_out() -> None:
    course = drawn(report.of_capacity(searched("stock", 1)))[1]
    for title in PANELS:
        assert title in course
    for title in OF_METRICS:
        assert title not in course


def test_two_results_on_one_page(found: dict[str, Any]) -> None:
    other = searched("stock", 1)
    compared = comparison(found, other)
    text = report.of_comparison(compared)
    check_alone(text)
    assert "carries 2 live streams and stock carries 1 live stream: 2.00 times as many" in text
    assert len(drawn(text)) == 3
    assert "stock: passed" in drawn(text)[0]


def test_trials_as_csv_in_the_order_of_the_run(found: dict[str, Any]) -> None:
    file = io.StringIO()
    write_csv(file, [found, searched("stock", 1)])
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    times = [float(row["began_unix_s"]) for row in rows]
    assert times == sorted(times)
    assert {row["server"] for row in rows} == {"<i>mine", "stock"}
    mine = [row for row in rows if row["server"] == "<i>mine"]
    assert [row["outcome"] for row in mine] == [trial["outcome"] for trial in found["trials"]]
    assert mine[0]["limit_ms"] == "780.0"
    assert float(mine[0]["word_p95_ms"]) == pytest.approx(600, rel=0.01)
