"""Live streams come first, and files are not forgotten."""

from __future__ import annotations

from voxtide_server.vllm_engine.fairness import STEP_S, Fairness

FILES = [f"file-{number}" for number in range(16)]


def step(fairness: Fairness, seconds_per_stream: float, live: bool = True) -> list[str]:
    """The files that a step takes; each stream makes it longer."""
    fairness.begin(FILES, live, now=100.0)
    taken = [name for name in FILES if fairness.allows(name)]
    fairness.end(now=100.0 + (len(taken) + live) * seconds_per_stream)
    return taken


def test_without_live_speakers_all_files_go_on_at_once() -> None:
    fairness = Fairness()
    for _ in range(5):
        assert step(fairness, 1.0, live=False) == FILES


def test_files_never_make_a_step_much_longer_than_live_speakers_can_bear() -> None:
    fairness, each = Fairness(), STEP_S / 8
    taken = [len(step(fairness, each)) for _ in range(200)][20:]
    assert max(taken) <= 8
    assert sum(taken) / len(taken) >= 5, "files get what live speakers leave"


def test_on_a_slow_machine_one_file_at_a_time_still_goes_on() -> None:
    fairness = Fairness()
    assert [len(step(fairness, 10 * STEP_S)) for _ in range(20)] == [1] * 20


def test_every_file_gets_its_turn() -> None:
    fairness = Fairness()
    taken = [name for _ in range(100) for name in step(fairness, STEP_S / 4)]
    counts = [taken.count(name) for name in FILES]
    assert min(counts) > 0
    assert max(counts) - min(counts) <= 2


def test_a_live_speaker_is_never_held_back() -> None:
    fairness = Fairness()
    fairness.begin(FILES, live=True, now=0.0)
    assert fairness.allows("somebody who speaks")


def test_files_give_way_at_once_when_steps_grow_longer() -> None:
    fairness = Fairness()
    for _ in range(1000):
        step(fairness, STEP_S / 100)
    taken = [len(step(fairness, STEP_S)) for _ in range(12)]
    assert taken[-1] == 1
