"""The load test is a client: it measures any server, and needs none of voxtide's."""

from __future__ import annotations

import ast
from pathlib import Path

LOADTEST = Path(__file__).parents[2] / "loadtest"
PURE = ("words", "pacing", "behaviour", "turn", "figures", "histograms", "measure", "summary")
PURE += ("soak/ledger", "soak/account", "soak/deck", "soak/slope")


def packages(path: Path) -> set[str]:
    """Packages from elsewhere that a module imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


def test_nothing_of_the_server_is_used() -> None:
    files = list(LOADTEST.rglob("*.py"))
    assert len(files) > 20
    assert not [path for path in files if "voxtide_server" in packages(path)]


def test_what_is_measured_can_be_computed_without_locust() -> None:
    for name in PURE:
        path = LOADTEST / "voxtide_loadtest" / f"{name}.py"
        assert not packages(path) & {"locust", "gevent", "websockets", "openai"}, name
