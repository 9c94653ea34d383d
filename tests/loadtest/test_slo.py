"""Whether a trial keeps the SLO."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loadtest.results import BEGAN, run
from voxtide_loadtest.capacity.slo import CannotJudge, Judgement, Slo, judge


def judged(slo: Slo | None = None, delay_ms: int | None = None, **given: Any) -> Judgement:
    return judge(run(4, **given), 4, BEGAN + 15, slo or Slo(), delay_ms)


def test_what_keeps_it_passes_whatever_the_warm_up_was() -> None:
    judgement = judged()
    assert (judgement.outcome, judgement.problems) == ("passed", ())
    assert judgement.limit_ms == 780
    assert judgement.figures["times_ms"]["word_emission_latency"]["p95"] == pytest.approx(600, 0.01)
    assert judgement.figures["times_ms"]["word_emission_latency"]["n"] == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"word_s": 0.79}, "p95 of word latency 790 ms, above 780"),
        ({"lag_s": 1.01}, "p99 of lag 1010 ms, above 1000"),
        ({"refused__server_full": 1}, "sessions refused: 1"),
        ({"lost__1006": 2}, "connections broken: 2"),
        ({"error__engine_failed": 1}, "errors of the server: 1"),
        ({"words_against_idle__lost": 1}, "1 words lost"),
        ({"words_against_idle__doubled": 1}, "1 doubled"),
        ({"words__unanswered": 5}, "5 unanswered, of 105"),
        ({"turns__final": 0}, "no turn was answered"),
    ],
)
def test_what_does_not_fails_and_says_why(given: dict[str, Any], said: str) -> None:
    judgement = judged(**given)
    assert judgement.outcome == "failed"
    assert len(judgement.problems) == 1
    assert said in judgement.problems[0]


def test_limits_are_those_that_were_given() -> None:
    assert judged(Slo(word_ms=320), word_s=0.79).outcome == "passed"
    assert judged(Slo(lag_ms=1100), lag_s=1.01).outcome == "passed"
    assert judged(Slo(lost_words=0.01), words_against_idle__lost=1).outcome == "passed"
    assert judged(Slo(lost_words=0.01), words_against_idle__lost=2).outcome == "failed"


def test_a_late_generator_makes_it_void_whatever_else_was() -> None:
    judgement = judged(slip_s=0.011, word_s=5.0)
    assert judgement.outcome == "void"
    assert "slip is 11.0 ms" in judgement.problems[0]
    assert judged(Slo(slip_ms=12), slip_s=0.011).outcome == "passed"


def test_streams_that_were_not_there_did_not_pass() -> None:
    judgement = judge(run(3), 4, BEGAN + 15, Slo(), None)
    assert judgement.problems == ("only 3 of 4 streams were open",)


def test_the_delay_is_the_servers_or_has_to_be_given() -> None:
    told = run(4)
    untold = told | {"delay_ms": []}
    assert judge(told, 4, BEGAN + 15, Slo(), 900).limit_ms == 780
    assert judge(untold, 4, BEGAN + 15, Slo(), 900).limit_ms == 1200
    with pytest.raises(CannotJudge, match="delay_ms"):
        judge(untold, 4, BEGAN + 15, Slo(), None)


def test_words_without_times_cannot_be_judged() -> None:
    with pytest.raises(CannotJudge, match="corpus"):
        judged(timed_by__corpus=0)
