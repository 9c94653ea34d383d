"""Scores come from manifests alone: no audio, no server, no dataset; and need no plots."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

EVAL = Path(__file__).parents[3] / "eval" / "voxtide_eval"
ELSEWHERE = {"voxtide", "voxtide_server", "voxtide_loadtest", "soundfile", "httpx", "datasets"}


def imported(path: Path) -> set[str]:
    """Packages that a module imports anywhere, and modules beside its package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level != 1:
            found.add((node.module or "").split(".")[0])
    return found


def test_scoring_reads_manifests_and_normalises() -> None:
    files = [*(EVAL / "scoring").glob("*.py")]
    assert len(files) > 10
    for path in files:
        assert not imported(path) & (ELSEWHERE | {"inference", "report", "published"}), path.name


def test_score_and_gate_load_no_plots() -> None:
    code = (
        "import sys, voxtide_eval.commands.score, voxtide_eval.commands.gate; "
        "print(sorted({'matplotlib', 'soundfile', 'voxtide_loadtest'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
