"""Hallucinations, stability, punctuation, times and latency: each by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.eval.made import heard, live, manifest, pairs, timed
from voxtide_eval.manifest import Word
from voxtide_eval.scoring import score
from voxtide_eval.scoring.distribution import distribution
from voxtide_eval.scoring.punctuation import Token, tokens
from voxtide_eval.scoring.stability import withdrawn


def test_words_on_silence_are_told_by_minute() -> None:
    found = score(
        manifest(
            [
                heard("still", "", "thank you", seconds=30.0),
                heard("noise", "...", "", seconds=90.0),
                heard("word", "yes", "yes yes yes"),
            ]
        )
    ).hallucination
    assert (found.empty, found.words, found.empty_minutes) == (2, 2, 2.0)
    assert found.per_minute == 1.0
    assert (found.run, found.run_in) == (2, "word")


def test_the_longest_time_without_a_word_is_over_speech_where_that_is_known() -> None:
    said = timed("a b c d e f g h")  # ends at 1.0, 1.5 … 4.5
    known = heard("known", "a b c d e f g h", "a b h", words=said[:2] + said[7:])
    known_too = heard("pause", "a b", "a b", words=(said[0], Word("b", 9, 9.3)))
    found = score(
        manifest(
            [
                heard("known", known.reference, "a b h", words=known.words, reference_words=said),
                heard("pause", "a b", "a b", words=known_too.words, seconds=20.0),
            ]
        )
    ).hallucination.blank
    assert found is not None
    assert (found.utterance, found.by_reference) == ("known", True)
    assert found.seconds == pytest.approx(4.0 - 1.7)  # from the start of c to the end of g
    unknown = score(manifest([known_too])).hallucination.blank
    assert unknown is not None
    assert (unknown.seconds, unknown.by_reference) == (8.0, False)


def test_a_word_that_was_heard_whole_leaves_no_blank() -> None:
    said = timed("a b")
    found = score(manifest([heard("u", "a b", "a b", words=said, reference_words=said)]))
    assert found.hallucination.blank is not None
    assert found.hallucination.blank.seconds == 0


def test_nothing_heard_over_speech_is_the_longest_blank() -> None:
    said = timed("a b c")
    found = score(manifest([heard("u", "a b c", "", reference_words=said)])).hallucination
    assert found.unheard == 1
    assert found.blank is not None
    assert found.blank.seconds == pytest.approx(2.0 - 0.7)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("thir", "thirteen", 0),
        ("thirteen", "thirteen,", 0),
        ("one two", "one two three", 0),
        ("one two three", "one four", 2),
        ("One two", "one two", 2),
        ("one two", "one", 1),
        ("one", "", 1),
        ("", "one", 0),
    ],
)
def test_words_that_only_grow_are_not_withdrawn(before: str, after: str, words: int) -> None:
    assert withdrawn(before.split(), after.split()) == words


def test_stability_counts_what_was_shown_and_taken_back() -> None:
    shown = ((0.5, "one"), (1.0, "one too"), (1.5, "one two"), (2.0, "one two three"))
    made = score(manifest([heard("u", "", "one two three four", partials=shown)])).stability
    assert made is not None
    assert (made.partials, made.changed, made.withdrawn) == (4, 0.25, 1)
    assert made.per_word == 0.25
    assert score(pairs(("a", "a"))).stability is None


def test_marks_and_case_are_compared_on_words_that_were_heard() -> None:
    said = "Hello, world. How are you? Fine!"
    came = "hello, world How are. You? Mine"
    found = score(pairs((said, came))).punctuation
    # Hello, = hello,   world. -> world   How = How   are -> are.   you? = You?   Fine! not heard
    assert (found.said, found.same, found.substituted, found.deleted, found.inserted) == (
        3,
        2,
        0,
        1,
        1,
    )
    assert found.error_rate == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 * 2 / (3 + 3))
    assert (found.cased, found.same_case) == (5, 3)


def test_a_reference_without_marks_or_case_says_nothing_of_them() -> None:
    for reference in ("HELLO WORLD", "hello world"):
        found = score(pairs((reference, "Hello, world."))).punctuation
        assert found.error_rate is None
        assert found.f1 is None
        assert found.case_accuracy is None


def test_marks_of_many_scripts_stand_where_they_do() -> None:
    assert tokens("Il a dit « oui » !", "wer")[-1] == Token("oui", "!")
    assert tokens("क्या हाल है।", "wer") == [Token("क्या", ""), Token("हाल", ""), Token("है", ".")]
    assert tokens("你好，吗？", "cer") == [Token("你", ""), Token("好", ","), Token("吗", "?")]
    assert tokens("¿Qué? 3.5 U.S.", "wer") == [
        Token("Qué", "?"),
        Token("3.5", ""),
        Token("U.S", "."),
    ]


def test_times_are_compared_for_words_that_were_heard() -> None:
    said = timed("one two three")
    came = (Word("One,", 0.6, 1.1), Word("too", 1.2, 1.5), Word("three", 1.9, 1.96))
    found = score(
        manifest([heard("u", "one two three", "One, too three", words=came, reference_words=said)])
    ).times
    assert found is not None
    assert found.matched == pytest.approx(2 / 3)
    assert found.end is not None
    assert (found.end.count, found.end.largest) == (2, pytest.approx(0.1))
    assert found.end.p50 == pytest.approx(0.04)
    assert found.end_bias == pytest.approx((0.1 - 0.04) / 2)
    assert found.start is not None
    assert found.start.largest == pytest.approx(0.2)


def test_a_reference_that_knows_ends_alone_says_nothing_of_starts() -> None:
    said = (Word("one", 0.0, 1.0), Word("two", 1.0, 1.5))
    made = score(
        manifest([heard("u", "one two", "one two", words=timed("one two"), reference_words=said)])
    )
    assert made.times is not None
    assert made.times.start is None
    assert made.times.end is not None


def test_latency_counts_from_the_references_end_where_it_is_known() -> None:
    said = tuple(Word(word.text, word.start, word.end - 0.1) for word in timed("one two"))
    one = live(["one", "two"], ["one", "too"], "u", [0.5, 0.7], reference_words=said)
    found = score(manifest([one])).latency
    assert found.words is not None
    assert (found.words.count, found.by_reference) == (2, 0.5)
    assert found.words.p50 == pytest.approx(0.6)  # one: shown 0.1 s later after its true end
    assert found.words.largest == pytest.approx(0.7)
    assert found.first_word is not None
    assert found.first_word.p50 == pytest.approx(1.5)
    assert found.final is not None
    assert found.final.p50 == 0.5


def test_a_server_without_times_of_words_has_latencies_where_the_reference_has_them() -> None:
    said = timed("one two three")
    one = heard("u", "one two three", "One, too three", emitted=(1.5, 2.5, 2.25))
    known = score(manifest([replace(one, reference_words=said)]))
    assert known.latency.words is not None
    assert (known.latency.words.count, known.latency.by_reference) == (2, 1.0)
    assert known.latency.words.largest == pytest.approx(0.5)
    assert known.latency.words.p50 == pytest.approx(0.25)
    assert known.times is None
    assert score(manifest([one])).latency.words is None


@pytest.mark.parametrize("way", ["fast", "file"])
def test_audio_that_is_not_sent_at_the_speed_of_speech_has_no_latency_of_words(way: str) -> None:
    one = live(["one"], ["one"], "u", [0.5])
    found = score(manifest([one], way=way)).latency
    assert found.words is None
    assert found.median is None
    assert found.final is not None


def test_percentiles_are_figures_that_were_measured() -> None:
    found = distribution(list(range(1, 101)))
    assert found is not None
    assert (found.p50, found.p90, found.p95, found.p99, found.largest) == (50, 90, 95, 99, 100)
    assert found.mean == 50.5
    assert distribution([]) is None
