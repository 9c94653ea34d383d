"""Order, errors and cut-offs of a run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from voxtide import AuthenticationError, OverloadedError, ServerFailedError, UnreachableError
from voxtide_eval import manifest
from voxtide_eval.datasets.definition import Utterance
from voxtide_eval.datasets.error import DatasetError
from voxtide_eval.inference import run as runs
from voxtide_eval.inference.part import OtherRunError
from voxtide_eval.inference.run import Tally, carry_out
from voxtide_eval.manifest import Heard

from .utterances import RUN, echo, said


class Ear:
    """Hears everything right, but for what it is told to do otherwise."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.errors: dict[str, list[Exception]] = {}
        self.waits: dict[str, float] = {}
        self.most = self._now = 0

    async def __call__(self, utterance: Utterance) -> Heard:
        self.heard[utterance.id] += 1
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await asyncio.sleep(self.waits.get(utterance.id, 0))
            if errors := self.errors.get(utterance.id):
                raise errors.pop(0)
            return await echo(utterance)
        finally:
            self._now -= 1


def there(path: Path) -> bytes | None:
    """What is in a file, if there is one."""
    return path.read_bytes() if path.exists() else None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "digits.jsonl"


async def test_the_manifest_has_the_datasets_order_whatever_came_first(path: Path) -> None:
    ear = Ear()
    ear.waits = {"u0": 0.05, "u2": 0.02}
    tally = await carry_out(path, RUN, said(6), ear, parallel=3)
    assert tally == Tally(6, 0, 0)
    written = manifest.read(path)
    assert written.run == RUN
    assert [one.id for one in written.heard] == [f"u{n}" for n in range(6)]
    assert [one.hypothesis for one in written.heard] == [f"text {n}" for n in range(6)]


async def test_so_many_at_once_and_no_more(path: Path) -> None:
    ear = Ear()
    ear.waits = {one.id: 0.01 for one in said(12)}
    await carry_out(path, RUN, said(12), ear, parallel=4)
    assert ear.most == 4


async def test_utterances_are_not_taken_before_there_is_room(path: Path) -> None:
    taken: list[str] = []

    def streamed() -> Iterator[Utterance]:
        for one in said(10):
            taken.append(one.id)
            yield one

    async def hear(utterance: Utterance) -> Heard:
        assert len(taken) - int(utterance.id[1:]) <= 2
        return await echo(utterance)

    await carry_out(path, RUN, streamed(), hear, parallel=2)
    assert len(taken) == 10


async def test_a_run_that_is_cut_off_and_gone_on_with_gives_the_same_manifest(
    path: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.jsonl"
    await carry_out(whole, RUN, said(20), Ear(), parallel=3)
    ear = Ear()
    ear.waits = {"u9": 60}
    task = asyncio.create_task(carry_out(path, RUN, said(20), ear, parallel=3))
    while ear.heard["u14"] == 0:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert there(path) is None
    again = Ear()
    tally = await carry_out(path, RUN, said(20), again, parallel=3)
    assert there(path) == there(whole) is not None
    assert tally.done == 20
    assert tally.kept == 20 - again.heard.total()
    assert "u9" in again.heard
    assert "u0" not in again.heard


async def test_an_error_is_kept_and_heard_again_by_the_same_command(path: Path) -> None:
    ear = Ear()
    ear.errors = {"u1": [ServerFailedError("It broke.", code="engine_failed")]}
    assert await carry_out(path, RUN, said(3), ear, parallel=1) == Tally(3, 1, 0)
    failed = manifest.read(path).heard[1]
    assert (failed.error, failed.hypothesis) == ("engine_failed: It broke.", "")
    assert failed.reference == "text 1"
    assert await carry_out(path, RUN, said(3), ear, parallel=1) == Tally(3, 0, 2)
    assert ear.heard == {"u0": 1, "u1": 2, "u2": 1}
    assert [one.error for one in manifest.read(path).heard] == ["", "", ""]


@pytest.mark.parametrize("error", [FileNotFoundError("gone.wav"), DatasetError("gone.wav")])
async def test_audio_that_cannot_be_read_is_an_error_of_its_utterance(
    path: Path, error: Exception
) -> None:
    ear = Ear()
    ear.errors = {"u0": [error]}
    await carry_out(path, RUN, said(2), ear, parallel=1)
    assert manifest.read(path).heard[0].error == f"{type(error).__name__}: gone.wav"


@pytest.mark.parametrize("error", [UnreachableError("No."), AuthenticationError("No.")])
async def test_what_every_other_would_meet_ends_the_run(path: Path, error: Exception) -> None:
    ear = Ear()
    ear.errors = {"u2": [error]}
    with pytest.raises(type(error), match="No"):
        await carry_out(path, RUN, said(5), ear, parallel=1)
    assert there(path) is None
    assert await carry_out(path, RUN, said(5), ear, parallel=1) == Tally(5, 0, 2)


async def test_a_server_without_room_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    ear.errors = {"u0": [OverloadedError("Full.", retry_after=0)] * 3}
    assert await carry_out(path, RUN, said(1), ear, parallel=1) == Tally(1, 0, 0)
    assert ear.heard["u0"] == 4
    monkeypatch.setattr(runs, "PATIENCE_S", 0.0)
    ear.errors = {"u1": [OverloadedError("Full.")]}
    assert await carry_out(path.with_name("b"), RUN, said(2), ear, parallel=1) == Tally(2, 1, 0)


async def test_a_run_that_is_over_asks_nobody(path: Path) -> None:
    await carry_out(path, RUN, said(3), echo, parallel=2)
    before = there(path)

    def untouched() -> Iterator[Utterance]:
        raise AssertionError("the dataset is not needed")
        yield

    tally = await carry_out(path, RUN, untouched(), Ear(), parallel=2)
    assert tally == Tally(3, 0, 3)
    assert there(path) == before
    with pytest.raises(OtherRunError):
        await carry_out(path, replace(RUN, way="file"), said(3), echo, parallel=2)


async def test_a_dataset_with_an_id_twice_is_refused(path: Path) -> None:
    with pytest.raises(DatasetError, match="two utterances 'u0'"):
        await carry_out(path, RUN, [*said(2), *said(1)], echo, parallel=1)


async def test_an_empty_dataset_is_refused(path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no utterance"):
        await carry_out(path, RUN, said(0), echo, parallel=1)
    assert there(path) is None
