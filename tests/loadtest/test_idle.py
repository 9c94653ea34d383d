"""What a server does alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loadtest.echo import corpus, echo
from voxtide_loadtest.baseline import Idle, read, write
from voxtide_loadtest.idle import main


def test_each_clip_is_said_alone_and_written_down(tmp_path: Path) -> None:
    manifest = corpus(tmp_path / "corpus", clips=2, seconds=1.0)
    out = tmp_path / "idle.json"
    with echo(manifest, "--drop-every", "15") as server:
        main(["--host", server.host, "--corpus", str(manifest), "--rounds", "1", "--out", str(out)])
    idle = read(str(out))
    assert idle["0.wav"].text == " ".join(f"w0x{at}" for at in range(10))
    assert idle["1.wav"].text.split() == [f"w1x{at}" for at in range(10) if at != 4]
    assert idle["1.wav"].latency_ms[4] is None
    # Words whose delay is over before the clip ends come after it, not before.
    assert all(one is not None and one >= 480 for one in idle["0.wav"].latency_ms[:4])


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    idle = {"a": Idle("one", (1.5, None))}
    write(tmp_path / "idle.json", idle)
    assert read(str(tmp_path / "idle.json")) == idle


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"text": "x"}}'])
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "idle.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"idle\.json"):
        read(str(path))


def test_a_word_is_late_if_it_comes_a_frame_later_than_alone() -> None:
    idle = Idle("one two", (500.0, None))
    assert idle.late(0, 0.57, 0.08) is False
    assert idle.late(0, 0.59, 0.08) is True
    assert idle.late(1, 9.0, 0.08) is None
    assert idle.late(2, 9.0, 0.08) is None
