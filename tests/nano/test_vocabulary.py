"""The words, their tokens, and the list that the model card promises."""

import re
from pathlib import Path
from random import Random

from nano.corpus import number_words, sentence
from nano.export import tekken
from nano.vocabulary import N_SPECIAL, PHONES, PRONUNCIATIONS, WORD_TOKEN, WORDS

CARD = Path(__file__).parents[2] / "nano" / "README.md"


def test_every_word_has_a_pronunciation_and_a_token_of_its_own() -> None:
    assert set(PRONUNCIATIONS) == set(WORDS) == set(WORD_TOKEN)
    assert len(set(WORD_TOKEN.values())) == len(WORDS)
    assert {phone for text in PRONUNCIATIONS.values() for phone in text.split()} < set(PHONES)


def test_model_card_lists_exactly_the_vocabulary() -> None:
    section = CARD.read_text().split("## Vocabulary")[1].split("\n## ")[0]
    listed = re.findall(r"`([^`]*)`", section)
    assert sorted(" ".join(listed).split()) == sorted(WORDS)


def test_a_word_token_decodes_with_its_leading_space() -> None:
    ordinary = tekken()["vocab"]
    assert isinstance(ordinary, list)
    for word, token in WORD_TOKEN.items():
        assert ordinary[token - N_SPECIAL]["token_str"] == f" {word}"


def test_sentences_stay_in_the_vocabulary_and_tell_four_from_for() -> None:
    random = Random(1)
    for _ in range(2000):
        words = sentence(random).words
        assert words
        assert set(words) <= set(WORDS)
        for before, word in zip(("", *words), words, strict=False):
            assert (word == "for") <= (before == "timer")
            assert not (before == "timer" and word == "four")


def test_numbers_are_spelled_as_spoken() -> None:
    assert number_words(0) == ["zero"]
    assert number_words(15) == ["fifteen"]
    assert number_words(40) == ["forty"]
    assert number_words(100) == ["one", "hundred"]
    assert number_words(999) == ["nine", "hundred", "ninety", "nine"]
