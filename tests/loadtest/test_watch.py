"""Memory and CPU of processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from voxtide_loadtest.soak.watch import Sample, cores, growth, longest_life, sample

PARENT = """
import subprocess, sys
code = "held = bytearray(b'x') * 100_000_000; print('there', flush=True); input()"
subprocess.run([sys.executable, "-c", code])
"""


def test_children_count_too() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        found = sample(1.5, process.pid)
        process.stdin.write(b"\n")
    assert found is not None
    assert (found.at_s, found.pid) == (1.5, process.pid)
    assert 100 < found.rss_mb < 250
    assert found.cpu_s > 0
    assert sample(2.0, process.pid) is None


def test_this_process_is_seen_with_its_cpu_time() -> None:
    before = sample(0.0, os.getpid())
    sum(at * at for at in range(1_000_000))
    after = sample(1.0, os.getpid())
    assert before is not None
    assert after is not None
    assert after.cpu_s > before.cpu_s


def lives() -> list[Sample]:
    """A short one, one that grows by a megabyte a minute from its 60th second on, a short one."""
    short = [Sample(float(at), 1, 900.0 + 50 * at, 0.0) for at in range(0, 20, 2)]
    long = [
        Sample(100.0 + at, 2, 500.0 + (at - 60) / 60 if at > 60 else 8.0 * at, at * 0.5)
        for at in range(0, 600, 2)
    ]
    return [*short, *long, Sample(800.0, 3, 10.0, 0.0)]


def test_growth_is_that_of_the_longest_life_once_it_is_warm() -> None:
    found = growth(lives(), warm_up_s=62)
    assert found is not None
    assert found.estimate * 60 == pytest.approx(1.0)
    cold = growth(lives(), warm_up_s=0)
    assert cold is not None
    assert cold.estimate * 60 > 5


def test_cores_are_those_of_the_longest_life() -> None:
    assert {one.pid for one in longest_life(lives())} == {2}
    assert cores(lives()) == pytest.approx(0.5)
    assert cores([]) is None
