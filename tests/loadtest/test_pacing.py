"""The schedule is absolute, and who does not keep to it says so."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_loadtest.pacing import Network, Pacer


class Clock:
    """Time that passes only when somebody lets it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.oversleep = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self.oversleep

    def work(self, seconds: float) -> None:
        self.now += seconds


def test_a_steady_schedule_has_a_frame_every_80_ms() -> None:
    dues = Network().dues(5.0, 10_000, random.Random(1))
    assert dues[0] == 5.0
    assert dues[-1] == pytest.approx(5.0 + 9_999 * 0.08, abs=1e-6)


def test_a_burst_is_due_when_its_last_frame_is() -> None:
    dues = Network(burst=4).dues(0.0, 6, random.Random(1))
    assert dues == pytest.approx([0.24, 0.24, 0.24, 0.24, 0.40, 0.40])


@given(st.floats(0, 2), st.integers(1, 20), st.integers(0, 200), st.integers())
def test_no_network_brings_a_frame_early_or_out_of_order(
    jitter: float, burst: int, count: int, seed: int
) -> None:
    dues = Network(jitter, burst).dues(3.0, count, random.Random(seed))
    assert len(dues) == count
    assert dues == sorted(dues)
    assert all(due >= 3.0 + at * 0.08 - 1e-9 for at, due in enumerate(dues))


def test_jitter_has_the_size_that_was_asked_for() -> None:
    dues = Network(jitter_s=0.01).dues(0.0, 5_000, random.Random(1))
    late = [due - at * 0.08 for at, due in enumerate(dues)]
    # The mean of the absolute value of a normal deviate is its deviation times sqrt(2 / pi).
    assert sum(late) / len(late) == pytest.approx(0.00798, rel=0.05)


def test_a_late_frame_does_not_move_the_next_one() -> None:
    clock = Clock()
    pacer = Pacer(clock.sleep, clock)
    sent = []
    for at in range(5):
        clock.oversleep = 0.05 if at == 2 else 0.0
        pacer.send(100.0 + at * 0.08, lambda: sent.append(clock.now))
    assert sent == pytest.approx([100.0, 100.08, 100.21, 100.24, 100.32])
    assert pacer.slips == pytest.approx([0, 0, 0.05, 0, 0], abs=1e-9)


def test_a_generator_that_is_too_slow_falls_further_and_further_behind() -> None:
    clock = Clock()
    pacer = Pacer(clock.sleep, clock)
    for at in range(50):
        pacer.send(100.0 + at * 0.08, lambda: None)
        clock.work(0.1)
    assert pacer.slips[-1] == pytest.approx(49 * 0.02)


def test_waiting_for_the_server_is_not_slip() -> None:
    clock = Clock()
    pacer = Pacer(clock.sleep, clock)
    pacer.send(100.0, lambda: clock.work(0.5))
    pacer.send(100.08, lambda: None)
    assert pacer.slips == pytest.approx([0, 0], abs=1e-9)
    assert pacer.blocked == pytest.approx([0.5])


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("steady", Network()),
        ("jitter:30", Network(jitter_s=0.03)),
        ("burst:5", Network(burst=5)),
        ("jitter:10+burst:3", Network(0.01, 3)),
    ],
)
def test_networks_are_given_as_text(text: str, network: Network) -> None:
    assert Network.parse(text) == network


@pytest.mark.parametrize(
    "text", ["", "jitter", "jitter:-1", "burst:0", "burst:1.5", "wifi", "burst:2+"]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="network"):
        Network.parse(text)
