"""What lies on a curve, and what was published beside it."""

from __future__ import annotations

import pytest

from tests.eval.made import pairs
from voxtide_eval.report.averages import averages
from voxtide_eval.report.curves import charts
from voxtide_eval.report.languages import by_language
from voxtide_eval.scoring import score

TEXTS = (("one two three four", "one two three"), ("five", "five"))


def test_a_point_is_what_was_measured_at_its_delay() -> None:
    scores = [
        score(pairs(*TEXTS, delay_ms=delay, label="ours", dataset="fleurs-en"))
        for delay in (960, None, 240)
    ]
    [chart] = charts(scores)
    ours, *others = chart.curves
    assert [point.delay_ms for point in ours.points] == [240, 960, None]
    assert {point.percent for point in ours.points} == {20.0}
    assert all(point.low <= point.percent <= point.high for point in ours.points)
    assert not ours.published
    paper = next(one for one in others if one.label == "Voxtral Realtime (paper)")
    assert paper.published
    assert [(point.delay_ms, point.percent) for point in paper.points] == [
        (240, 5.91),
        (480, 4.90),
        (960, 4.34),
        (2400, 4.05),
    ]


def test_another_split_or_normaliser_is_another_chart_and_another_split_is_not_published() -> None:
    scores = [
        score(pairs(*TEXTS, dataset="fleurs-en", **more))
        for more in ({}, {"split": "train"}, {"normaliser": "none"})
    ]
    made = charts(scores)
    assert len(made) == 3
    assert [any(one.published for one in chart.curves) for chart in made] == [True, False, True]


def test_models_of_one_label_are_kept_apart() -> None:
    scores = [score(pairs(*TEXTS, model=model)) for model in ("a", "b")]
    [chart] = charts(scores)
    assert [one.label for one in chart.curves] == [
        "nano 480 (a), realtime",
        "nano 480 (b), realtime",
    ]


def test_languages_of_a_dataset_stand_beside_each_other_and_the_papers() -> None:
    scores = [
        score(pairs(*TEXTS, dataset=f"fleurs-{code}", language=code, label="ours"))
        for code in ("fr", "de")
    ]
    [bars] = by_language(scores)
    assert bars.languages == ("de", "fr")
    assert bars.systems["ours, realtime, 480 ms"]["de"].percent == 20.0
    assert bars.published["ours, realtime, 480 ms"] == {"de": 6.19, "fr": 6.42}
    assert by_language(scores[:1]) == []


def test_the_papers_mean_is_shown_once_all_it_is_made_of_was_run() -> None:
    languages = "ar de en es fr hi it ja ko nl pt ru zh".split()  # noqa: SIM905
    scores = [
        score(
            pairs(
                ("a b c d", "a b c" if code == "de" else "a b c d"),
                ("e f", "e f"),
                dataset=f"fleurs-{code}",
                language=code,
                label="ours",
            )
        )
        for code in languages
    ]
    [chart] = averages(scores)
    ours, *others = chart.curves
    [point] = ours.points
    assert point.percent == pytest.approx(100 / 6 / 13)  # one word in six, in one of 13 languages
    assert point.low <= point.percent < point.high
    paper = next(one for one in others if one.label == "Voxtral Realtime (paper)")
    assert [one.percent for one in paper.points] == [10.80, 8.72, 7.70, 6.73]
    assert averages(scores[:-1]) == []
