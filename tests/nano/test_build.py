from pathlib import Path

import pytest

from nano import build


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [([], ["record", "train", "export"]), (["export"], ["export"]), (["train", "export"],) * 2],
)
def test_stages_run_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], expected: list[str]
) -> None:
    ran: list[tuple[str, Path]] = []
    for name in build.STAGES:
        monkeypatch.setitem(build.STAGES, name, lambda work, name=name: ran.append((name, work)))
    build.main([*arguments, "--work", str(tmp_path)])
    assert ran == [(name, tmp_path) for name in expected]


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(SystemExit):
        build.main(["dance"])
