"""The lines between the rooms of the server, held by parsing the imports."""

import ast
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[2] / "deploy" / "voxtide_server"
PURE = ["audio", "engine", "errors", "events", "formats", "session", "transcript"]
PURE_FILES = [SERVER / f"{name}.py" for name in PURE] + sorted((SERVER / "dialects").glob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level packages that a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", PURE_FILES, ids=lambda p: p.stem)
def test_pure_modules_do_no_io(path: Path) -> None:
    forbidden = {"asyncio", "fastapi", "starlette", "vllm", "torch", "time", "threading", "socket"}
    assert not imported(path) & forbidden


def test_only_the_adapter_imports_vllm() -> None:
    users = {p.stem for p in SERVER.rglob("*.py") if imported(p) & {"vllm", "torch"}}
    assert users == {"vllm_engine"}


def test_client_and_server_share_no_code() -> None:
    client = SERVER.parents[1] / "client" / "voxtide"
    assert not [p for p in SERVER.rglob("*.py") if "voxtide" in imported(p)]
    # The command hands `voxtide serve` over to the launcher: the one lazy import.
    users = {p.stem for p in client.rglob("*.py") if "voxtide_server" in imported(p)}
    assert users <= {"serve"}
