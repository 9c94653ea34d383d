"""What a run is worth as a whole, with what is odd in it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.eval.made import heard, manifest, pairs, timed
from voxtide_eval.manifest import Manifest
from voxtide_eval.scoring import score
from voxtide_eval.scoring.alignment import Counts
from voxtide_eval.scoring.score import ScoreError, as_dict


def test_an_utterance_without_a_transcript_counts_as_nothing_heard() -> None:
    lost = heard("b", "two three", "two three", words=timed("two three"), error="stalled: no token")
    made = score(manifest([heard("a", "one", "one"), lost]))
    assert made.failed == 1
    assert made.total.counts == Counts(3, 0, 2, 0)
    assert made.hallucination.unheard == 1


def test_a_run_in_which_nothing_was_said_has_no_rate() -> None:
    made = score(pairs(("", "a b"), ("", "")))
    assert made.total.rate is None
    assert made.total.counts.insertions == 2
    assert made.punctuation.f1 is None
    assert made.punctuation.case_accuracy is None


def test_a_run_without_utterances_can_be_scored() -> None:
    made = score(manifest([]))
    assert made.total.rate is None
    assert made.total.utterances == 0
    assert made.lengths == ()


def test_parts_add_up_to_the_whole() -> None:
    made = score(
        manifest(
            [
                heard("a", "one two", "one", speaker="Ann", seconds=4.0),
                heard("b", "one two", "two two", speaker="Bob", seconds=5.0),
                heard("c", "", "oh", speaker="Bob", seconds=400.0),
                heard("d", "five", "five", seconds=5.1),
            ]
        )
    )
    assert [part.name for part in made.speakers] == ["", "Ann", "Bob"]
    assert [part.name for part in made.lengths] == ["0–5 s", "5–10 s", "over 300 s"]
    assert [part.utterances for part in made.lengths] == [2, 1, 1]
    for parts in (made.speakers, made.lengths):
        assert sum((part.counts for part in parts), Counts()) == made.total.counts
        assert sum(part.minutes for part in parts) == pytest.approx(made.total.minutes)
    assert made.speakers[2].counts == Counts(2, 1, 0, 1)
    assert made.lengths[2].rate is None


@pytest.mark.parametrize(
    ("run", "message"),
    [({"metric": "bleu"}, "metric is 'bleu'"), ({"normaliser": "no"}, "normaliser is 'no'")],
)
def test_a_run_that_cannot_be_scored_is_refused(run: dict[str, str], message: str) -> None:
    with pytest.raises(ScoreError, match=message):
        score(pairs(("a", "a"), **run))


def test_an_id_that_comes_twice_is_refused() -> None:
    made = pairs(("a", "a"))
    with pytest.raises(ScoreError, match="twice"):
        score(Manifest(made.run, (*made.heard, replace(made.heard[0], hypothesis="b"))))


def test_figures_are_json() -> None:
    made = score(pairs(("One, two.", "one two."), ("", "x")))
    figures = json.loads(json.dumps(as_dict(made)))
    assert figures["total"]["counts"] == {
        "units": 2,
        "substitutions": 0,
        "deletions": 0,
        "insertions": 1,
    }
    assert figures["punctuation"]["error_rate"] == 0.5
    assert figures["run"]["delay_ms"] == 480
