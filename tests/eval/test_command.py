"""The commands, against servers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.client import fakes
from voxtide_eval import manifest
from voxtide_eval.command import COMMANDS, main

from . import listening


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VOXTIDE_BASE_URL", "VOXTIDE_API_KEY", "VOXTIDE_EVAL_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fails() -> set[str]:
    return set()


@pytest.fixture
def live(fails: set[str]) -> Iterator[str]:
    with fakes.in_thread(listening.counting(fails)) as fake:
        yield fake.base_url


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return listening.listing(tmp_path)


def run(data: Path, url: str, *more: str) -> Result:
    out = str(data.parent / "runs")
    return CliRunner().invoke(main, ["run", str(data), "--base-url", url, "--out", out, *more])


def test_a_dataset_becomes_a_manifest(data: Path, live: str) -> None:
    result = run(data, live)
    assert result.exit_code == 0, result.output
    path = Path(result.stdout.strip())
    assert path == data.parent / "runs" / "counting.test.voxtide-nano.480ms.fast.jsonl"
    there = manifest.read(path)
    assert [one.hypothesis for one in there.heard] == [f"{n} samples" for n in range(1000, 1005)]
    assert [one.hypothesis for one in there.heard] == [one.reference for one in there.heard]
    assert all(len(one.emitted) == 2 for one in there.heard)
    assert there.heard[0].audio == str(data.parent / "1000.wav")
    assert there.run == manifest.Run(
        dataset="counting",
        split="test",
        revision="",
        language="en",
        metric="wer",
        normaliser="leaderboard-en",
        way="fast",
        model="nano",
        delay_ms=480,
        server={"product": "voxtide", "voxtide": "0.1.0", "vllm": "0.32.0"},
        settings={
            "seed": 0,
            "limit": None,
            "parallel": 4,
            "tell_language": True,
            "dialect": "voxtide",
        },
        label="voxtide nano",
    )


def test_several_ways_are_several_runs(data: Path, live: str) -> None:
    result = run(data, live, "--way", "fast", "--way", "realtime")
    assert result.exit_code == 0, result.output
    fast, realtime = (manifest.read(Path(line)) for line in result.stdout.split())
    assert [one.hypothesis for one in fast.heard] == [one.hypothesis for one in realtime.heard]
    assert (fast.run.way, realtime.run.way) == ("fast", "realtime")


def test_another_server_by_the_same_code(data: Path) -> None:
    with listening.files() as fake:
        more = ("--way", "file", "--label", "A peer", "--delay-ms", "0")
        result = run(data, fake.base_url, *more)
    assert result.exit_code == 0, result.output
    there = manifest.read(data.parent / "runs" / "counting.test.A-peer.0ms.file.jsonl")
    assert (there.run.label, there.run.delay_ms, there.run.model) == ("A peer", 0, "nano")
    assert there.run.server == {"product": "unknown", "version": "unknown"}
    assert there.run.settings["dialect"] is None
    assert [one.hypothesis for one in there.heard] == [f"{n} samples" for n in range(1000, 1005)]


def test_a_seed_and_a_limit_choose_the_same_again(data: Path, live: str) -> None:
    chosen = []
    for number in range(2):
        out = data.parent / f"runs{number}"
        result = run(data, live, "--limit", "2", "--seed", "3", "--out", str(out))
        (path,) = out.iterdir()
        chosen.append([one.id for one in manifest.read(path).heard])
        assert result.exit_code == 0
    assert len(chosen[0]) == 2
    assert chosen[0] == chosen[1]


def test_errors_are_told_and_the_same_command_mends_them(
    data: Path, live: str, fails: set[str]
) -> None:
    fails.add("1002 samples")
    result = run(data, live)
    assert result.exit_code == 1
    assert "5 utterances, 1 without a transcript" in result.stderr
    path = Path(result.stdout.strip())
    (failed,) = [one for one in manifest.read(path).heard if one.error]
    assert (failed.id, failed.error) == ("1002.wav", "engine_failed: It was lost.")
    fails.clear()
    result = run(data, live)
    assert result.exit_code == 0, result.output
    assert not [one for one in manifest.read(path).heard if one.error]


def test_other_settings_are_refused_in_a_line(data: Path, live: str) -> None:
    run(data, live)
    result = run(data, live, "--parallel", "2")
    assert result.exit_code == 1
    assert "a run with other settings (parallel: 4 there, 2 now)" in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_what_is_not_here_is_said_and_the_rest_is_run(data: Path, live: str) -> None:
    out = str(data.parent / "runs")
    line = ["run", "switchboard", str(data), "--base-url", live, "--out", out]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 1
    assert "switchboard: LDC2002S09" in result.stderr
    assert result.stdout.count(".jsonl") == 1


def test_a_server_that_is_not_there(data: Path) -> None:
    with fakes.in_thread(fakes.files(lambda form: None)) as fake:
        url = fake.base_url
    assert run(data, url).exit_code == 3


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--delays", "240"), "need --serve"),
        (("--serve", "nano"), "are of a server that runs"),
        (("--delays", "fast", "--serve", "nano"), "give milliseconds"),
        (("--model", "big"), "no model 'big', but nano"),
    ],
)
def test_what_does_not_go_together(data: Path, live: str, more: tuple[str, ...], told: str) -> None:
    result = run(data, live, *more)
    assert result.exit_code in (1, 2)
    assert told in result.stderr


def test_an_unknown_dataset(live: str) -> None:
    result = CliRunner().invoke(main, ["run", "fleurs-enn", "--base-url", live])
    assert result.exit_code == 1
    assert "fleurs-en" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_datasets_are_listed_and_looked_for(data: Path) -> None:
    listed = CliRunner().invoke(main, ["datasets"]).output.splitlines()
    assert listed[0].split()[:3] == ["name", "language", "split"]
    assert any(line.startswith("fleurs-hi ") and " hi " in line for line in listed)
    checked = CliRunner().invoke(main, ["datasets", str(data), "switchboard", "--check"]).output
    assert "counting: here\nswitchboard: missing (switchboard: LDC2002S09" in checked
