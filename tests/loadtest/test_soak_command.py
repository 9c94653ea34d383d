"""`python -m voxtide_loadtest soak`, as it is used."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.loadtest.echo import corpus, echo
from voxtide_loadtest.__main__ import main
from voxtide_loadtest.baseline import Idle, write
from voxtide_loadtest.corpus import load

SHORT = ("--seconds", "2", "--speakers", "2", "--session", "2", "--every", "0.7", "--lasts", "0.3")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, and beside them what is said in them, as if a server had heard that alone."""
    made = corpus(tmp_path_factory.mktemp("said") / "corpus", clips=2, seconds=1.0)
    idle = {clip.id: Idle(" ".join(clip.words or ()), ()) for clip in load(str(made))}
    write(made.parent / "idle.json", idle)
    return made


def run(*flags: str) -> Any:
    return CliRunner().invoke(main, ["soak", *flags])


def soak(host: str, manifest: Path, *flags: str) -> Any:
    """A short one against a server that speaks OpenAI's dialect, and cannot go on elsewhere."""
    idle = str(manifest.parent / "idle.json")
    given = ("--url", host, "--dialect", "openai", "--corpus", str(manifest), "--idle", idle)
    return run(*given, *SHORT, *flags)


def test_a_server_that_is_well_and_its_page(manifest: Path, tmp_path: Path) -> None:
    page = tmp_path / "soak.html"
    with echo(manifest) as server:
        result = soak(server.host, manifest, "--faults", "slow", "--html", str(page))
    assert result.exit_code == 0, result.output
    for said in ("Account", "Faults", "nothing lost, nothing doubled"):
        assert said in result.stdout
    html = page.read_text()
    assert "What went wrong" in html
    assert "did not read" in html


@pytest.mark.parametrize(
    ("fault", "planted", "found"),
    [("--drop-every", "dropped", "lost"), ("--double-every", "doubled", "doubled")],
)
def test_planted_faults_are_in_the_account_and_in_the_status(
    manifest: Path, fault: str, planted: str, found: str
) -> None:
    with echo(manifest, fault, "7") as server:
        result = soak(server.host, manifest, "--faults", "", "--json")
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    assert document["words"][found] == server.log["counts"][planted] > 0
    assert document["turns"]["final"] == document["turns"]["said"] == server.log["counts"]["turns"]
    assert document["sessions"]["opened"] == server.log["counts"]["sessions"]
    assert document["balanced"]
    assert not document["clean"]


def test_memory_of_a_process_is_watched(manifest: Path, tmp_path: Path) -> None:
    page = tmp_path / "soak.html"
    with echo(manifest) as server:
        pid = str(os.getpid())
        flags = ("--pid", pid, "--warm-up", "0", "--json", "--faults", "", "--html", str(page))
        result = soak(server.host, manifest, *flags)
    (process,) = json.loads(result.stdout)["processes"].values()
    assert process["starts"] == 1
    assert process["over_time"][0]["rss_mb"] > 10
    assert process["growth"] is None  # two seconds say nothing
    assert "too short to say" in page.read_text()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "either --serve"),
        (("--serve", "nano", "--url", "http://127.0.0.1:1"), "either --serve"),
        (("--url", "http://127.0.0.1:1", "--", "--max-sessions", "3"), "either --serve"),
        (("--url", "https://127.0.0.1:1"), "'--url'"),
        (("--url", "http://127.0.0.1:1", "--faults", "flood"), "'--faults'"),
        (("--url", "http://127.0.0.1:1", "--faults", "cut,kill"), "kill needs --serve"),
        (("--url", "http://127.0.0.1:1", "--corpus", "/nowhere"), "'--corpus'"),
        (("--url", "http://127.0.0.1:1", "--session", "long"), "'--session'"),
        (("--url", "http://127.0.0.1:1", "--idle", "/nowhere"), "'--idle'"),
        (("--url", "http://127.0.0.1:1", "--pid", "0"), "'--pid'"),
    ],
)
def test_wrong_input_names_the_option(flags: tuple[str, ...], said: str) -> None:
    result = run(*flags)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_baseline_of_other_clips_is_refused(manifest: Path, tmp_path: Path) -> None:
    write(tmp_path / "idle.json", {"other.wav": Idle("one", ())})
    result = soak("http://127.0.0.1:1", manifest, "--idle", str(tmp_path / "idle.json"))
    assert result.exit_code == 2
    assert "does not have 0.wav" in result.stderr


def test_a_server_that_is_not_there_ends_it_at_once() -> None:
    result = run("--url", "http://127.0.0.1:9", *SHORT)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "127.0.0.1:9" in result.stderr


def test_a_network_that_the_kernel_cannot_make_bad_ends_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = run("--url", "http://127.0.0.1:9", "--netem", *SHORT)
    assert result.exit_code == 1
    assert "Error: ip: No such file" in result.stderr
