"""The sum of all sessions: planted losses are in it, each in its place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from voxtide_loadtest.corpus import Clip
from voxtide_loadtest.soak.account import Account, account
from voxtide_loadtest.soak.ledger import Ledger

CLIP = Clip("one", Path("one.wav"))
ALONE = {"one": ("one", "two", "three", "four")}
TEXT = "One, two, three four."


def session(*finals: tuple[str, float, float], turns: int = 2) -> Ledger:
    """A session of turns of two seconds each, with such finals."""
    ledger = Ledger()
    for _ in range(turns):
        ledger.begin(CLIP)
        ledger.spoke(2.0)
        ledger.commit()
    for final in finals:
        ledger.final(*final)
    ledger.close()
    return ledger


def total(*ledgers: Ledger) -> Account:
    return account(ledgers, ALONE, Counter())


def test_nothing_is_missing() -> None:
    sum_of_all = account(
        [session((TEXT, 0, 2), (TEXT, 2, 4.01))] * 3, ALONE, Counter({"server_full": 2})
    )
    assert sum_of_all.clean
    assert sum_of_all.sessions.opened == 3
    assert sum_of_all.sessions.refused == {"server_full": 2}
    assert sum_of_all.as_json()["sessions"]["refused"] == {"server_full": 2}
    assert (sum_of_all.turns.said, sum_of_all.turns.final) == (6, 6)
    assert sum_of_all.audio.transcribed_s == pytest.approx(12)
    assert sum_of_all.words.said == 24


@pytest.mark.parametrize(
    ("text", "lost", "doubled", "inserted", "substituted"),
    [
        ("one three four", 1, 0, 0, 0),
        ("one two two three four", 0, 1, 0, 0),
        ("one two two three", 1, 1, 0, 0),
        ("", 4, 0, 0, 0),
    ],
)
def test_words_that_are_lost_or_doubled_are_counted_and_not_clean(
    text: str, lost: int, doubled: int, inserted: int, substituted: int
) -> None:
    found = total(session((TEXT, 0, 2), (text, 2, 4)))
    words = found.words
    assert (words.lost, words.doubled, words.inserted, words.substituted) == (
        lost,
        doubled,
        inserted,
        substituted,
    )
    assert found.balanced
    assert not found.clean


def test_a_word_that_is_heard_as_another_one_is_not_lost() -> None:
    found = total(session((TEXT, 0, 2), ("one two tree four five", 2, 4)))
    assert (found.words.substituted, found.words.inserted) == (1, 1)
    assert found.clean


def test_a_turn_without_an_answer_costs_its_words_and_its_audio() -> None:
    found = total(session((TEXT, 0, 2)))
    assert (found.turns.said, found.turns.final, found.turns.missing) == (2, 1, 1)
    assert found.words.lost == 4
    assert found.audio.lost_s == pytest.approx(2)
    assert found.balanced
    assert not found.clean


def test_audio_that_is_not_heard_again_is_lost_though_no_word_was_in_it() -> None:
    found = total(session((TEXT, 0, 2), (TEXT, 2.5, 4)))
    assert found.audio.lost_s == pytest.approx(0.5)
    assert found.words.lost == 0
    assert found.balanced
    assert not found.clean


def test_audio_that_is_heard_twice() -> None:
    ledger = session(turns=1)
    ledger.turns[0].outcome = "open"
    ledger.final("one two", 0, 1.5)
    ledger.final("three four", 1.0, 2)
    found = total(ledger)
    assert found.audio.doubled_s == pytest.approx(0.5)
    assert found.balanced
    assert not found.clean


def test_a_final_too_many_is_not_clean() -> None:
    found = total(session((TEXT, 0, 2), (TEXT, 2, 4), (TEXT, 2, 4)))
    assert found.turns.repeated == 1
    assert found.words.doubled == 0
    assert not found.clean


def test_a_session_that_breaks_in_the_middle_of_a_turn() -> None:
    ledger = session((TEXT, 0, 2), turns=1)
    ledger.begin(CLIP)
    ledger.spoke(0.8)
    ledger.broken = "disconnected"
    ledger.close()
    found = total(ledger)
    assert found.sessions.broken == {"disconnected": 1}
    assert (found.turns.said, found.turns.unfinished) == (1, 1)
    assert found.audio.lost_s == pytest.approx(0.8)
    assert found.words.said == 4
    assert found.balanced
    assert not found.clean


def test_what_nobody_can_account_for_does_not_balance() -> None:
    ledger = session((TEXT, 0, 2), (TEXT, 2, 4))
    ledger.spoke(1.0)
    assert not total(ledger).balanced
    assert not total(ledger).clean


def test_the_turns_that_are_wrong_are_named_with_what_came_of_them() -> None:
    right = (TEXT, 0, 2)
    doubled = session(right, ("one two three", 2, 3.5), ("three four", 2.5, 4))
    found = total(session(right, (TEXT, 2, 4)), doubled, session(right))
    assert [(turn.clip, turn.start, turn.end, turn.outcome) for turn in found.wrong] == [
        ("one", 2.0, 4.0, "final"),
        ("one", 2.0, 4.0, "missing"),
    ]
    assert found.wrong[0].finals == [("one two three", 2, 3.5), ("three four", 2.5, 4)]
    assert found.as_json()["wrong"][1]["finals"] == []
