"""Scripts of sessions, drawn from distributions."""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import fmean, median

import pytest

from tests.loadtest.echo import corpus
from voxtide_loadtest.behaviour import Behaviour, Disconnect, Distribution, Say, Silence
from voxtide_loadtest.corpus import Clip, load


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    return load(str(corpus(tmp_path_factory.mktemp("said") / "corpus", seconds=2.0)))


def draws(text: str) -> list[float]:
    rng = random.Random(1)
    return [Distribution.parse(text).draw(rng) for _ in range(20_000)]


def test_distributions_have_the_shape_that_was_asked_for() -> None:
    assert set(draws("fixed:7")) == set(draws("7")) == {7.0}
    uniform = draws("uniform:2,4")
    assert (min(uniform), max(uniform)) == pytest.approx((2, 4), abs=0.01)
    assert fmean(draws("exponential:30")) == pytest.approx(30, rel=0.03)
    assert median(draws("lognormal:180,0.8")) == pytest.approx(180, rel=0.03)


@pytest.mark.parametrize("text", ["", "x", "fixed:-1", "uniform:1", "normal:1,2", "fixed:nan"])
def test_what_is_no_distribution_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not fixed"):
        Distribution.parse(text)


def test_a_session_lasts_as_long_as_it_should(clips: list[Clip]) -> None:
    behaviour = Behaviour(Distribution.parse("fixed:20"), pause=Distribution.parse("fixed:0.4"))
    steps = list(behaviour.script(clips, 16_000, random.Random(1)))
    said = [step for step in steps if isinstance(step, Say)]
    assert len(said) == 9  # of 2 s and a pause each
    assert all(step.commit and step.frames is None for step in said)
    assert all(isinstance(a, Say) != isinstance(b, Say) for a, b in pairwise(steps))
    assert {step.seconds for step in steps if isinstance(step, Silence)} == {0.4}


def test_some_turns_are_committed_in_their_middle_and_some_connections_cut(
    clips: list[Clip],
) -> None:
    behaviour = Behaviour(Distribution.parse("fixed:2000"), barge_in=0.5, disconnect=0.2)
    steps = list(behaviour.script(clips, 16_000, random.Random(1)))
    said = [step for step in steps if isinstance(step, Say)]
    cut = [a for a, b in pairwise(steps) if isinstance(b, Disconnect)]
    early = [step for step in said if step.commit and step.frames is not None]
    assert len(cut) / len(said) == pytest.approx(0.2, abs=0.05)
    assert len(early) / len(said) == pytest.approx(0.4, abs=0.06)
    assert all(isinstance(step, Say) and not step.commit for step in cut)
    assert all(1 <= (step.frames or 0) <= 25 for step in early)


def test_the_same_seed_gives_the_same_session(clips: list[Clip]) -> None:
    behaviour = Behaviour(Distribution.parse("exponential:60"), barge_in=0.3, disconnect=0.3)
    first, second = (list(behaviour.script(clips, 16_000, random.Random(5))) for _ in range(2))
    assert first == second


def test_a_share_is_a_share() -> None:
    with pytest.raises(ValueError, match="barge_in"):
        Behaviour(barge_in=1.5)
