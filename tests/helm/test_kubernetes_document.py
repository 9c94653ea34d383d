"""docs/kubernetes.md: its commands are valid, and its values are the chart's."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.chart import CHART, VALUES, Helm
from tests.helm.kinds import check
from voxtide_server.config import Config

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for language, block in BLOCKS
    if not language
    for line in block.splitlines()
    if re.match(r"helm (install|upgrade|template) ", line)
]
FILES = {block.split()[1]: block for language, block in BLOCKS if language == "yaml"}
# Of `install` and `upgrade`, unknown to `template`.
FOR_A_CLUSTER = {"--create-namespace"}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_makes_what_kubernetes_takes(helm: Helm, tmp_path: Path, command: str) -> None:
    for name, block in FILES.items():
        (tmp_path / name).write_text(block, encoding="utf-8")
    _, _, release, chart, *flags = shlex.split(command)
    assert ROOT / chart == CHART
    given = [_found(flag, tmp_path) for flag in flags if flag not in FOR_A_CLUSTER]
    made = helm.run("template", release, str(CHART), "--kube-version", "1.37.0", *given)
    for thing in yaml.safe_load_all(made):
        check(thing)


def _found(flag: str, folder: Path) -> str:
    """A flag of a command, with the path of a file that it names."""
    if not flag.endswith(".yaml"):
        return flag
    return str(ROOT / flag if "/" in flag else folder / flag)


def test_each_file_of_values_has_a_command() -> None:
    assert len(COMMANDS) > len(FILES) > 1
    for name in FILES:
        assert any(f"-f {name}" in command for command in COMMANDS), name


def test_each_value_in_the_text_is_one() -> None:
    tops = "|".join(VALUES)
    named = re.findall(rf"`((?:{tops}|drain)(?:\.\w+)+)\b", TEXT)
    assert len(named) > 10
    assert [name for name in named if not _is_value(name.split("."))] == []


def _is_value(path: list[str]) -> bool:
    if path[0] == "config":
        return path[1] in Config.model_fields
    at: Any = VALUES["tier"] if path[0] == "drain" else VALUES
    for part in path:
        if not isinstance(at, dict) or part not in at:
            return False
        at = at[part]
    return True


def test_each_program_can_be_read() -> None:
    programs = [block for language, block in BLOCKS if language == "python"]
    assert programs
    for program in programs:
        ast.parse(program)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target
