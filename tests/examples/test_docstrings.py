"""Every example says how it is run, and is found from docs/integrations.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_file())
PROGRAMS = [path for path in FILES if path.suffix == ".py"]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_says_how_it_is_run(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring is not None
    assert f"python examples/{path.name}" in docstring
    assert "pip install" in docstring
    assert "_BASE_URL" in docstring


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_in_the_documentation(path: Path) -> None:
    assert f"](../examples/{path.name})" in (ROOT / "docs" / "integrations.md").read_text()
