"""The look at what waits for the garbage collector: tests.fakes.garbage."""

from __future__ import annotations

from typing import Any

from tests.fakes.garbage import count


class _Aloof:
    """Does not want to be asked what it is, as torch's `reduce_op` does not."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")


class _Heir(_Aloof):
    pass


class _Other:
    pass


def test_objects_are_counted_without_being_asked() -> None:
    there = [_Aloof(), _Heir(), _Other()]
    assert (count(_Aloof), count(_Other)) == (2, 1)
    del there
    assert (count(_Aloof), count(_Other)) == (0, 0)
