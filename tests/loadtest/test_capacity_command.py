"""`python -m voxtide_loadtest capacity` and `compare`, as they are used, with short trials.

Times are not limited here, since others use the machine too: only the planted limit counts.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.loadtest.echo import corpus, echo
from tests.loadtest.results import searched
from voxtide_loadtest.__main__ import main
from voxtide_loadtest.capacity.result import write_json

SHORT = [
    *("--ramp", "0.5", "--warm-up", "0", "--measure", "8", "--rounds", "1"),
    *("--tolerance", "0", "--trials", "1", "--passes", "1"),
    *("--word-ms", "60000", "--lag-ms", "60000", "--slip-ms", "60000"),
]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("said") / "corpus", clips=2, seconds=2.0)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_a_planted_limit_is_found_exactly(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "echo"
    limits = ("--most", "4", "--corpus", str(manifest))
    with echo(manifest, "--most", "3") as server:
        command = ("capacity", f"{server.host},name=echo", "--start", "3", "--out", str(out))
        result = run(*command, *SHORT, *limits, "--", "--pause", "fixed:0.08")
    assert result.exit_code == 0, result.output
    found = json.loads(out.with_name("echo.json").read_text())
    assert found["capacity"]["sessions"] == 3
    assert found["capacity"]["limited_by"] == "slo"
    assert found["capacity"]["next"] == 4
    assert [trial["streams"] for trial in found["trials"]] == [3, 4, 4, 3]
    failed = [trial for trial in found["trials"] if trial["outcome"] == "failed"]
    assert all("sessions refused" in trial["problems"][0] for trial in failed)
    assert all(trial["limit_ms"] == 60_480 for trial in found["trials"])
    assert all(trial["figures"]["words"]["said"] > 0 for trial in found["trials"])
    assert "echo carries 3 live streams" in result.stdout
    assert "echo carries 3 live streams" in out.with_name("echo.html").read_text()
    rows = table(out.with_name("echo.csv"))
    assert [row["streams"] for row in rows] == ["3", "4", "4", "3"]
    planned = run(
        *("plan", "--capacity", str(out.with_name("echo.json")), "--sessions-per-hour", "60"),
        *("--lengths", "fixed:60", "--simulate-up-to", "0", "--json"),
    )
    assert json.loads(planned.stdout)["fleet"]["sessions"] == 3


def test_words_that_are_lost_beside_idle_fail_every_trial(manifest: Path, tmp_path: Path) -> None:
    with echo(manifest, "--drop-every", "47") as server:  # the 40 words of idle are all there
        result = run(
            *("capacity", server.host, "--out", str(tmp_path / "lossy")),
            *("--corpus", str(manifest), *SHORT),
        )
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "lossy.json").read_text())
    assert found["capacity"]["sessions"] == 0
    assert [trial["outcome"] for trial in found["trials"]] == ["failed"] * 2
    assert "words lost" in found["trials"][0]["problems"][0]
    assert "carries no live stream" in result.stdout


def test_two_servers_take_turns_in_one_run(manifest: Path, tmp_path: Path) -> None:
    with echo(manifest, "--most", "1") as one, echo(manifest, "--most", "2") as two:
        result = run(
            *("compare", f"{one.host},name=one", f"{two.host},name=two"),
            *("--out", str(tmp_path / "both"), "--start", "2", "--most", "2"),
            *("--corpus", str(manifest), *SHORT),
        )
    assert result.exit_code == 0, result.output
    compared = json.loads((tmp_path / "both.json").read_text())
    assert [found["capacity"]["sessions"] for found in compared["servers"]] == [1, 2]
    assert compared["ratio"] == {"sessions": 0.5, "low": None, "high": 0.5}
    rows = table(tmp_path / "both.csv")
    assert [row["server"] for row in rows] == ["one", "two", "two", "one", "one", "one"]
    assert (
        "one carries 1 live stream and two carries 2 live streams"
        in (tmp_path / "both.html").read_text()
    )


def test_searches_side_by_side_tell_how_repeatable_it_is(manifest: Path, tmp_path: Path) -> None:
    with echo(manifest, "--most", "2") as server:
        result = run(
            *("capacity", f"{server.host},name=echo", "--out", str(tmp_path / "twice")),
            *("--searches", "2", "--start", "2", "--corpus", str(manifest), *SHORT),
            *("--most", "3", "--", "--pause", "fixed:0.08"),
        )
    assert result.exit_code == 0, result.output
    said = "echo carries 2 live streams, and 3 are too many."
    assert said in result.stdout
    assert "the least of 2 searches side by side: 2 and 2, 0 % apart." in result.stdout
    found = json.loads((tmp_path / "twice.json").read_text())
    assert [search["sessions"] for search in found["capacity"]["searches"]] == [2, 2]
    order = [(trial["search"], trial["streams"]) for trial in found["trials"]]
    assert order == [(1, 2), (2, 2), (2, 3), (1, 3), (1, 3), (2, 3), (2, 2), (1, 2)]
    assert [row["search"] for row in table(tmp_path / "twice.csv")] == list("12211221")


def test_two_results_are_compared_without_a_run(tmp_path: Path) -> None:
    for name, limit in (("a", 2), ("b", 1)):
        write_json(tmp_path / f"{name}.json", searched(name, limit))
    files = [str(tmp_path / f"{name}.json") for name in "ab"]
    result = run("compare", *files, "--out", str(tmp_path / "both"))
    assert result.exit_code == 0, result.output
    assert "2.00 times as many" in result.stdout
    write_json(tmp_path / "old.json", {"format": 1, "kind": "capacity"})
    old = run("compare", files[0], str(tmp_path / "old.json"))
    assert old.exit_code == 2
    assert "`format` is not 2" in old.stderr
    mixed = run("compare", files[0], "http://127.0.0.1:1")
    assert mixed.exit_code == 2
    assert "two servers or two files" in mixed.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("capacity", "localhost"), "SERVER: 'localhost' is not the URL"),
        (("capacity", "http://a,dialect=vllm"), "model is missing"),
        (("capacity", "http://a", "--start", "9", "--most", "4"), "--start"),
        (("capacity", "http://a", "--trials", "2", "--passes", "3"), "--passes"),
        (("capacity", "http://a", "--measure", "1"), "--measure"),
        (("compare", "http://a", "b"), "B: 'b' is not the URL"),
        (("compare", __file__, __file__), "A: "),
    ],
)
def test_a_wrong_argument_is_named(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_server_that_is_not_there_ends_it_with_its_error(manifest: Path, tmp_path: Path) -> None:
    result = run(
        *("capacity", "http://127.0.0.1:9", "--out", str(tmp_path / "x")),
        *("--corpus", str(manifest), *SHORT),
    )
    assert result.exit_code == 1
    assert "Error: voxtide: not let in: unreachable" in result.stderr
    assert not list(tmp_path.iterdir())


def test_the_commands_leave_the_standard_library_as_it_is() -> None:
    code = "import sys, voxtide_loadtest.__main__; print({'gevent', 'locust'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
