"""What was said in a session, and what was answered: each answer finds its turn."""

from __future__ import annotations

from pathlib import Path

from voxtide_loadtest.corpus import Clip
from voxtide_loadtest.soak.ledger import Ledger

CLIP = Clip("one", Path("one.wav"))


def spoken(*lengths: float) -> Ledger:
    """A ledger of turns of such lengths, in seconds, all committed."""
    ledger = Ledger()
    for length in lengths:
        ledger.begin(CLIP)
        ledger.spoke(length)
        ledger.commit()
    return ledger


def outcomes(ledger: Ledger) -> list[str]:
    ledger.close()
    return [turn.outcome for turn in ledger.turns]


def test_finals_with_times_go_to_the_turns_at_their_places() -> None:
    ledger = spoken(2.0, 3.0)
    ledger.final("a", 0.0, 2.0)
    ledger.final("b", 2.0, 5.001)
    assert [turn.text for turn in ledger.turns] == ["a", "b"]
    assert outcomes(ledger) == ["final", "final"]


def test_a_turn_whose_final_does_not_come_is_missing_though_later_ones_come() -> None:
    ledger = spoken(2.0, 3.0)
    ledger.final("b", 2.0, 5.0)
    assert ledger.turns[1].text == "b"
    assert outcomes(ledger) == ["missing", "final"]


def test_a_final_that_comes_twice_is_one_too_many() -> None:
    ledger = spoken(2.0)
    ledger.final("a", 0.0, 2.0)
    ledger.final("a", 0.0, 2.0)
    ledger.begin(CLIP)
    ledger.spoke(1.0)
    ledger.final("a", 0.0, 2.0)
    assert ledger.repeated == 2
    assert ledger.turns[1].text == ""


def test_a_server_that_stops_may_end_a_turn_early_and_another_one_ends_it() -> None:
    ledger = Ledger()
    ledger.begin(CLIP)
    ledger.spoke(2.0)
    ledger.final("a", 0.0, 1.2)
    ledger.spoke(1.0)
    ledger.commit()
    ledger.final("b", 1.2, 3.0)
    turn = ledger.turns[0]
    assert (turn.outcome, turn.text, turn.heard_s) == ("final", "a b", 3.0)
    assert ledger.split == 1


def test_finals_without_times_answer_the_oldest_commit() -> None:
    ledger = spoken(2.0, 3.0)
    ledger.final("a", None, None)
    assert ledger.turns[0].heard_s == 2.0
    ledger.begin(CLIP)
    ledger.spoke(1.0)
    ledger.final("b", None, None)
    ledger.final("too early", None, None)
    assert ledger.repeated == 1
    assert outcomes(ledger) == ["final", "final", "unfinished"]


def test_a_failure_answers_a_commit_and_other_errors_none() -> None:
    ledger = spoken(2.0, 2.0)
    ledger.fail("bad_event", of_turn=False)
    ledger.fail("engine_failed", of_turn=True)
    ledger.final("b", 2.0, 4.0)
    assert outcomes(ledger) == ["failed", "final"]
    assert ledger.errors == {"bad_event": 1, "engine_failed": 1}


def test_a_turn_that_fails_before_its_commit_is_not_answered_by_that() -> None:
    ledger = Ledger()
    ledger.begin(CLIP)
    ledger.spoke(2.0)
    ledger.fail("engine_failed", of_turn=True)
    ledger.commit()
    ledger.final("rest", 1.0, 2.0)
    assert ledger.turns[0].heard_s == 1.0
    assert outcomes(ledger) == ["final"]
