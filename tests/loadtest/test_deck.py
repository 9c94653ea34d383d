"""Faults are drawn by chance, each as often as the others."""

from __future__ import annotations

import random
from collections import Counter

from voxtide_loadtest.soak.deck import Deck

NAMES = ("cut", "slow", "kill")


def anything(name: str) -> bool:
    return True


def drawn(seed: int, count: int) -> list[str | None]:
    deck = Deck(NAMES, random.Random(seed))
    return [deck.draw(anything) for _ in range(count)]


def test_each_comes_as_often_as_the_others() -> None:
    assert Counter(drawn(1, 30)) == dict.fromkeys(NAMES, 10)


def test_the_order_is_the_seeds() -> None:
    assert drawn(1, 30) == drawn(1, 30)
    assert drawn(1, 30) != drawn(2, 30)


def test_what_is_not_possible_now_comes_later() -> None:
    deck = Deck(NAMES, random.Random(1))
    early = [deck.draw(lambda name: name != "kill") for _ in range(4)]
    assert Counter(early) == {"cut": 2, "slow": 2}
    assert [deck.draw(lambda name: name == "kill") for _ in range(2)] == ["kill"] * 2


def test_nothing_is_possible() -> None:
    assert Deck(NAMES, random.Random(1)).draw(lambda name: False) is None
    assert Deck((), random.Random(1)).draw(anything) is None
