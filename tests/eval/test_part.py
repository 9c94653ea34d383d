"""What is kept of a run that is not over."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from voxtide_eval import manifest
from voxtide_eval.inference.part import InUseError, OtherRunError, Part
from voxtide_eval.manifest import Heard, ManifestError

from .utterances import RUN, echo, said


def heard(count: int) -> list[Heard]:
    return [asyncio.run(echo(one)) for one in said(count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "digits.jsonl"


def part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def test_what_was_kept_is_there_again(path: Path) -> None:
    with Part(path, RUN) as part:
        for one in heard(3):
            part.add(one)
    with Part(path, RUN) as part:
        assert list(part.heard.values()) == heard(3)


def test_the_manifest_is_written_in_order_and_the_part_removed(path: Path) -> None:
    first, second, third = heard(3)
    with Part(path, RUN) as part:
        for one in (third, first, second):
            part.add(one)
        part.finish(["u0", "u1", "u2"])
    assert manifest.read(path) == manifest.Manifest(RUN, (first, second, third))
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("left", [1, 20, -1])
def test_a_torn_last_line_is_dropped(path: Path, left: int) -> None:
    with Part(path, RUN) as part:
        part.add(heard(2)[0])
        before = part_of(path).read_bytes()
        part.add(heard(2)[1])
    whole = part_of(path).read_bytes()
    part_of(path).write_bytes(whole[:left] if left < 0 else whole[: len(before) + left])
    with Part(path, RUN) as part:
        assert list(part.heard) == ["u0"]
        part.add(heard(2)[1])
    assert part_of(path).read_bytes() == whole


def test_a_torn_first_line_is_a_new_run(path: Path) -> None:
    with Part(path, RUN):
        pass
    part_of(path).write_bytes(part_of(path).read_bytes()[:30])
    with Part(path, replace(RUN, model="other")) as part:
        assert part.heard == {}
    assert json.loads(part_of(path).read_text())["model"] == "other"


def test_a_broken_line_in_the_middle_is_told(path: Path) -> None:
    with Part(path, RUN):
        pass
    with part_of(path).open("a") as file:
        file.write("nonsense\n")
    with pytest.raises(ManifestError, match="line 2: it is no JSON"), Part(path, RUN):
        pass


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (replace(RUN, delay_ms=240), "delay_ms: 480 there, 240 now"),
        (replace(RUN, settings={**RUN.settings, "seed": 7}), "seed: 0 there, 7 now"),
        (replace(RUN, server={"product": "vllm"}), "server's product: 'voxtide' there, 'vllm' now"),
    ],
)
def test_other_settings_are_refused_by_name(path: Path, other: manifest.Run, named: str) -> None:
    with Part(path, RUN) as part:
        part.add(heard(1)[0])
    before = part_of(path).read_bytes()
    with pytest.raises(OtherRunError, match=named), Part(path, other):
        pass
    assert part_of(path).read_bytes() == before


def test_a_finished_run_with_other_settings_is_not_overwritten(path: Path) -> None:
    path.parent.mkdir()
    manifest.write(path, RUN, heard(1))
    with pytest.raises(OtherRunError, match="model: 'nano' there, 'big' now"):
        Part(path, replace(RUN, model="big"))
    assert list(path.parent.iterdir()) == [path]


def test_errors_are_to_be_heard_again(path: Path) -> None:
    good, bad = heard(2)
    with Part(path, RUN) as part:
        part.add(good)
        part.add(replace(bad, error="engine_failed: no"))
        part.finish(["u0", "u1"])
    with Part(path, RUN) as part:
        assert list(part.heard) == ["u0"]
        part.add(bad)
    with Part(path, RUN) as part:
        assert list(part.heard) == ["u0", "u1"]


def test_one_process_at_a_time(path: Path) -> None:
    with Part(path, RUN), pytest.raises(InUseError, match="another process"):
        Part(path, RUN)
