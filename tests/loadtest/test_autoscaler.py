"""What Kubernetes' autoscaler does with the chart's settings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voxtide_loadtest.plan.autoscaler import LOOK_EVERY, Autoscaler
from voxtide_loadtest.plan.fleet import Settings

SETTINGS = Settings(2, 20, target=0.5, down_after=600, up=4, down=1)


def run(scaler: Autoscaler, sessions: int, start: float, seconds: float) -> list[int]:
    """Pods after each look at a load."""
    looks = int(seconds / LOOK_EVERY)
    return [scaler.look(start + LOOK_EVERY * look, sessions) for look in range(looks)]


def test_more_load_brings_pods_at_once_but_not_all() -> None:
    pods = run(Autoscaler(SETTINGS, 10, 2), 60, 0.0, 150.0)  # 12 pods
    assert pods[:4] == [6, 6, 6, 6]
    assert pods[-1] == 12
    assert all(later - sooner <= 4 for sooner, later in zip(pods, pods[4:], strict=False))


def test_little_more_or_less_changes_nothing() -> None:
    scaler = Autoscaler(SETTINGS, 10, 10)
    assert scaler.look(0.0, 54) == 10
    assert scaler.look(15.0, 46) == 10
    assert scaler.look(30.0, 56) == 12


def test_less_load_takes_pods_late_and_one_after_the_other() -> None:
    scaler = Autoscaler(SETTINGS, 10, 10)
    scaler.look(0.0, 50)
    pods = run(scaler, 10, 15.0, 900.0)
    waited = [look for look in pods if look == 10]
    assert len(waited) * LOOK_EVERY >= 585
    assert pods[-1] < 10
    assert all(sooner - later <= 1 for sooner, later in zip(pods, pods[4:], strict=False))


@given(st.lists(st.integers(0, 1000), max_size=100))
def test_there_are_never_too_few_or_too_many(loads: list[int]) -> None:
    scaler = Autoscaler(SETTINGS, 10, 2)
    for place, sessions in enumerate(loads):
        assert 2 <= scaler.look(place * LOOK_EVERY, sessions) <= 20
