"""The gate: what is worse fails, what is equal or only noise passes, what is something else is
refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.eval.made import heard, live, manifest, pairs, spoken
from voxtide_eval.command import main
from voxtide_eval.gate import Limits, gate
from voxtide_eval.manifest import Manifest, write
from voxtide_eval.scoring import score


def texts(rows: list[tuple[list[str], list[str]]]) -> Manifest:
    return pairs(*((" ".join(said), " ".join(came)) for said, came in rows))


def again(rows: list[tuple[list[str], list[str]]], seed: int) -> Manifest:
    """The same words said, with as many errors elsewhere."""
    other = spoken(len(rows), np.random.default_rng(seed), wrong=0.1)
    return texts([(said, came) for (said, _), (_, came) in zip(rows, other, strict=True)])


@pytest.fixture(scope="module")
def rows() -> list[tuple[list[str], list[str]]]:
    """200 utterances of 10 words, one in ten wrong."""
    return spoken(200, np.random.default_rng(1), wrong=0.1)


def test_a_run_that_drops_one_word_in_twenty_fails(
    rows: list[tuple[list[str], list[str]]],
) -> None:
    random = np.random.default_rng(2)
    dropped = [(said, [w for w in came if random.random() > 0.05]) for said, came in rows]
    [judged] = gate(score(texts(dropped)), score(texts(rows)))
    assert not judged.passed
    assert judged.loss > 3
    [other_way] = gate(score(texts(rows)), score(texts(dropped)))
    assert other_way.passed


def test_the_same_run_passes_without_a_margin(rows: list[tuple[list[str], list[str]]]) -> None:
    [judged] = gate(score(texts(rows)), score(texts(rows)), Limits(points=0))
    assert judged.passed
    assert judged.loss == 0


def test_noise_passes(rows: list[tuple[list[str], list[str]]]) -> None:
    base = score(texts(rows))
    passed = [gate(score(again(rows, seed)), base)[0].passed for seed in range(10, 30)]
    assert sum(passed) >= 19


def test_it_finds_what_its_docstring_says(rows: list[tuple[list[str], list[str]]]) -> None:
    random = np.random.default_rng(3)
    found = 0
    for _ in range(20):
        base = spoken(150, random, wrong=0.1)
        run = [(said, [w for w in came if random.random() > 0.0139]) for said, came in base]
        found += not gate(score(texts(run)), score(texts(base)))[0].passed
    assert found >= 14  # 1.25 points of 1,500 words: at least 8 in 10; 14 of 20 with luck


def later(seconds: float, **run: object) -> Manifest:
    random = np.random.default_rng(4)  # the same words and jitter each time
    words = ["one", "two", "three"]
    utterances = [
        live(words, words, f"u{n}", (0.5 + seconds + random.normal(0, 0.05, size=3)).tolist())
        for n in range(40)
    ]
    return manifest(utterances, **run)


@pytest.mark.parametrize(("seconds", "passed"), [(0, True), (0.05, True), (0.1, False)])
def test_words_that_come_later_than_a_frame_fail(seconds: float, passed: bool) -> None:
    judged = gate(score(later(seconds)), score(later(0)))
    by_measure = {one.measure: one for one in judged}
    assert by_measure["WER"].passed
    assert by_measure["time to final"].passed
    words = by_measure["latency of words"]
    assert words.passed is passed
    assert words.loss == pytest.approx(seconds * 1000)


def test_latencies_of_other_ways_are_not_compared() -> None:
    judged = gate(score(later(1, way="file")), score(later(0)))
    assert [one.measure for one in judged] == ["WER"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Runs by name."""
    same = [("one two", "one two"), ("three four", "three four")]
    runs = {
        "base": pairs(*same),
        "equal": pairs(*same, label="another <label>"),
        "worse": pairs(("one two", ""), ("three four", "")),
        "split": pairs(*same, split="dev"),
        "dataset": pairs(*same, dataset="other"),
        "normaliser": pairs(*same, normaliser="none"),
        "fewer": pairs(same[0]),
        "reference": pairs(("one two", "one two"), ("three", "three")),
        "silent": pairs(("", ""), ("", "")),
        "ids": manifest([heard("u0", *same[0]), heard("v", *same[1])]),
    }
    for name, made in runs.items():
        write(tmp_path / f"{name}.jsonl", made.run, made.heard)
    (tmp_path / "broken.jsonl").write_text("{")
    return tmp_path


def gated(folder: Path, run: str, base: str = "base") -> Result:
    arguments = ["gate", str(folder / f"{run}.jsonl"), "--against", str(folder / f"{base}.jsonl")]
    return CliRunner().invoke(main, arguments)


def test_the_exit_status_says_what_came_of_it(folder: Path) -> None:
    passed, failed = gated(folder, "equal"), gated(folder, "worse")
    assert passed.exit_code == 0
    assert passed.output.startswith("passed: WER 0.00 %, base 0.00 %")
    assert failed.exit_code == 1
    assert failed.output.startswith("FAILED: WER 100.00 %, base 0.00 %")
    assert "allowed 0.50" in failed.output


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("split", "the split is 'dev' here and 'test' there"),
        ("dataset", "the dataset is 'other' here and 'made' there"),
        ("normaliser", "the normaliser is 'none' here and 'basic' there"),
        ("fewer", "1 utterances are there alone, such as 'u1'"),
        ("ids", "1 utterances are here alone, such as 'v'"),
        ("reference", "utterance 'u1' has another reference here than there"),
        ("broken", "line 1: it is no JSON"),
    ],
)
def test_what_is_something_else_is_refused_with_a_sentence(
    folder: Path, run: str, sentence: str
) -> None:
    refused = gated(folder, run)
    assert refused.exit_code == 2
    assert sentence in refused.output
    assert refused.output.count("\n") == 1


def test_silence_has_no_error_rate_to_compare(folder: Path) -> None:
    refused = gated(folder, "silent", "silent")
    assert refused.exit_code == 2
    assert "no reference has a word" in refused.output


def test_a_run_that_lost_its_latencies_is_refused(folder: Path) -> None:
    for name, run in (
        ("timed", later(0)),
        (
            "untimed",
            Manifest(
                later(0).run,
                tuple(heard(one.id, one.reference, one.hypothesis) for one in later(0).heard),
            ),
        ),
    ):
        write(folder / f"{name}.jsonl", run.run, run.heard)
    refused = gated(folder, "untimed", "timed")
    assert refused.exit_code == 2
    assert "the run has none" in refused.output
