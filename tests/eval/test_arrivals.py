"""When each word was first shown."""

from __future__ import annotations

from voxtide_eval.inference.arrivals import Arrivals


def arrivals(*pieces: tuple[float, str]) -> Arrivals:
    made = Arrivals()
    for at, text in pieces:
        made.add(at, text)
    return made


def test_a_word_is_shown_with_its_last_letter() -> None:
    heard = arrivals((0.5, " sev"), (0.6, "en"), (1.0, " eight nine"))
    assert heard.emitted(["seven", "eight", "nine"], final=9.0) == (0.6, 1.0, 1.0)


def test_partials_are_the_whole_text_each_time_without_spaces_around_it() -> None:
    heard = arrivals((0.5, " seven"), (0.6, ""), (1.0, " eight"))
    assert heard.shown() == ((0.5, "seven"), (1.0, "seven eight"))


def test_a_word_that_only_the_final_has_came_with_it() -> None:
    heard = arrivals((0.5, " one"), (1.0, " three"))
    assert heard.emitted(["one", "two", "three"], final=2.0) == (0.5, 2.0, 1.0)


def test_a_word_that_the_final_spells_otherwise_came_with_it() -> None:
    heard = arrivals((0.5, " one"), (1.0, " too"), (1.5, " three"))
    assert heard.emitted(["one", "two", "three"], final=2.0) == (0.5, 2.0, 1.5)


def test_words_without_spaces_between_them_are_found() -> None:
    heard = arrivals((0.4, "今日"), (0.8, "は晴"), (1.2, "れ"))
    assert heard.emitted(["今日", "は", "晴れ"], final=2.0) == (0.4, 0.8, 1.2)


def test_the_first_is_the_first_letter() -> None:
    assert arrivals((0.2, " "), (0.5, "a")).first == 0.5
    assert arrivals().first is None


def test_nothing_shown_before_the_final() -> None:
    assert arrivals().emitted(["one"], final=2.0) == (2.0,)
    assert arrivals((0.1, "one")).emitted([], final=2.0) == ()
