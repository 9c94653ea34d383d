"""Intervals hold what they promise, on populations of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from voxtide_eval.scoring.intervals import Groups, groups, mean_ratio, quantile, ratio


def singly(count: int) -> Groups:
    return groups([""] * count)


def test_speakers_are_drawn_where_all_are_known_and_enough() -> None:
    names = [f"s{n % 8}" for n in range(20)]
    assert groups(names).by == "speakers"
    assert groups(names).count == 8
    assert groups([*names, ""]).by == "utterances"
    assert groups(["one"] * 20).count == 20


def test_the_interval_holds_the_truth_about_95_times_in_100() -> None:
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        words = random.integers(3, 20, size=60)
        found = ratio(random.binomial(words, 0.12), words, singly(60))
        assert found is not None
        inside += found.low <= 0.12 <= found.high
    assert 0.90 <= inside / 300 <= 0.98


def test_alike_utterances_of_a_speaker_make_it_wider_and_only_then_true() -> None:
    random = np.random.default_rng(2)
    names = [f"s{n}" for n in range(40) for _ in range(10)]
    words = [10] * 400
    inside = {"speakers": 0, "utterances": 0}
    for _ in range(100):
        own = random.beta(2, 18, size=40)  # each speaker's error rate; 0.1 on average
        errors = random.binomial(10, np.repeat(own, 10))
        for by in (groups(names), singly(400)):
            found = ratio(errors, words, by)
            assert found is not None
            inside[by.by] += found.low <= 0.1 <= found.high
    assert inside["speakers"] / 100 >= 0.90
    assert inside["utterances"] / 100 <= 0.80


def test_a_quantile_is_a_figure_that_was_measured_and_its_interval_holds_the_truth() -> None:
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(100):
        values = random.exponential(size=400)
        found = quantile(values.tolist(), np.repeat(np.arange(80), 5).tolist(), 0.5, singly(80))
        assert found.value in values
        assert np.mean(values <= found.value) == pytest.approx(0.5, abs=0.01)
        inside += found.low <= np.log(2) <= found.high
    assert 0.90 <= inside / 100 <= 0.99


def test_it_is_the_same_each_time() -> None:
    assert ratio([1, 0, 2], [5, 5, 5], singly(3)) == ratio([1, 0, 2], [5, 5, 5], singly(3))


def test_one_utterance_has_no_spread_and_none_no_rate() -> None:
    one = ratio([1], [4], singly(1))
    assert one is not None
    assert (one.low, one.value, one.high) == (0.25, 0.25, 0.25)
    assert ratio([2, 1], [0, 0], singly(2)) is None
    assert ratio([], [], singly(0)) is None
    assert ratio([1, 1], [0, 2], singly(2)) is not None  # draws without a word are left out


def test_a_mean_over_languages_counts_each_alike_and_is_surer_than_one() -> None:
    random = np.random.default_rng(5)
    parts = [(random.binomial(10, rate, size=50), [10] * 50, singly(50)) for rate in (0.1, 0.3)]
    each = [ratio(*part) for part in parts]
    both = mean_ratio(parts)
    assert both is not None
    assert both.value == pytest.approx(np.mean([one.value for one in each if one]))
    assert both.groups == 100
    widths = [one.high - one.low for one in each if one]
    expected = np.hypot(*widths) / 2  # of independent figures
    assert both.high - both.low == pytest.approx(expected, rel=0.1)
    assert mean_ratio([*parts, ([1], [0], singly(1))]) is None
