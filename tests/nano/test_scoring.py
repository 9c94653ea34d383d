"""Word error counts and word time errors."""

from nano.decoding import Word
from nano.scoring import Score, alignment


def heard(*words: str) -> list[Word]:
    return [Word(word, float(place)) for place, word in enumerate(words)]


def test_each_kind_of_error_is_counted() -> None:
    score = Score()
    score.add(["one", "two", "three", "four"], [], heard("one", "six", "three", "four", "five"))
    score.add(["one", "two"], [], heard("two"))
    assert (score.substituted, score.deleted, score.inserted) == (1, 1, 1)
    assert score.word_error_rate == 3 / 6
    assert score.exact == 0
    assert score.confusions == {"two > six": 1, "- > five": 1, "one > -": 1}


def test_times_are_compared_for_correct_words_only() -> None:
    score = Score()
    score.add(["one", "two"], [0.5, 0.9], heard("one", "three"))
    assert score.time_errors == [-0.5]
    assert score.mean_time_error == 0.5


def test_words_out_of_nothing_are_insertions() -> None:
    score = Score()
    score.add([], [], heard("one"))
    assert score.inserted == 1
    assert alignment([], ["one"]) == [(None, 0)]
