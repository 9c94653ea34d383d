"""Tables as Markdown and LaTeX, and the commands that write them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.eval.made import pairs
from tests.eval.report.sample import runs
from voxtide_eval.command import main
from voxtide_eval.manifest import write
from voxtide_eval.report.latex import latex
from voxtide_eval.report.markdown import markdown
from voxtide_eval.report.tables import Table

ODD = Table("A|B & <i>", ("run_1", "50 %"), [("x|y\\z #1 {q}", "-1.50"), ("<b>", "–")], "5 % ~ a^b")


def test_markdown_has_as_many_cells_in_each_row_and_no_html() -> None:
    lines = markdown([ODD]).splitlines()
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|")]
    assert [len(row) for row in cells] == [2, 2, 2, 2]
    assert cells[2] == [r" x\|y\\z \#1 \{q\} ", " -1.50 "]
    assert cells[3][0] == " &lt;b&gt; "
    assert lines[0] == r"### A\|B &amp; &lt;i&gt;"


def test_latex_has_as_many_cells_in_each_row_and_no_commands_of_others() -> None:
    made = latex([ODD])
    body = made[made.index(r"\midrule") : made.index(r"\bottomrule")].splitlines()[1:]
    assert body == [
        r"x|y\textbackslash{}z \#1 \{q\} & -1.50 \\",
        r"<b> & -- \\",
    ]
    assert r"\caption{A|B \& <i>}" in made
    assert r"run\_1 & 50 \% \\" in made
    assert r"5 \% \textasciitilde{} a\textasciicircum{}b" in made


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two runs."""
    for number, made in enumerate(runs()[1:3]):
        write(tmp_path / f"{number}.jsonl", made.run, made.heard)
    return [str(tmp_path / "0.jsonl"), str(tmp_path / "1.jsonl")]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_score_prints_tables_or_json(files: list[str]) -> None:
    assert "### Accuracy" in run("score", *files)
    figures = [json.loads(line) for line in run("score", "--json", *files).splitlines()]
    assert [one["run"]["delay_ms"] for one in figures] == [480, 960]
    assert figures[0]["total"]["rate"]["by"] == "speakers"


def test_compare_says_by_how_much_and_how_surely(files: list[str]) -> None:
    told = run("compare", *files)
    assert "| WER, % |" in told
    assert "| mean latency of words, ms |" in told
    assert re.search(r"\| -4\d\d \|", told)  # 480 ms of delay less, but for chance


def test_what_cannot_be_compared_is_refused(files: list[str], tmp_path: Path) -> None:
    other = pairs(("a", "a"))
    write(tmp_path / "other.jsonl", other.run, other.heard)
    result = CliRunner().invoke(main, ["compare", files[0], str(tmp_path / "other.jsonl")])
    assert result.exit_code == 2
    assert "the dataset is 'fleurs-en' here and 'made' there" in result.output


def test_report_writes_what_is_asked_for(files: list[str], tmp_path: Path) -> None:
    page, text, paper = (tmp_path / f"report.{end}" for end in ("html", "md", "tex"))
    run("report", *files, "--html", str(page), "--markdown", str(text), "--latex", str(paper))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "### Accuracy" in text.read_text(encoding="utf-8")
    assert r"\toprule" in paper.read_text(encoding="utf-8")
    result = CliRunner().invoke(main, ["report", *files])
    assert result.exit_code == 2
    assert "say what to write" in result.output
