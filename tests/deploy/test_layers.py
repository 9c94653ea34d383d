"""The lines between the rooms of the server, held by parsing the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[2] / "deploy" / "voxtide_server"

PURE = {
    "engine": {"errors"},
    "errors": set(),
    "endpointing": {"engine", "speech"},
    "events": {"endpointing", "engine", "errors"},
    "service": {"errors"},
    "audio": {"engine", "errors"},
    "formats": {"dialects", "events"},
    "transcript": {"engine", "events"},
    "speech": {"engine"},
    "windows": {"engine", "speech"},
    "stitch": {"events", "transcript"},
    "effects": {"engine", "events"},
    "turns": {"audio", "engine", "events", "transcript"},
    "legs": {"audio", "effects", "engine", "speech", "transcript", "turns"},
    "session": {
        "audio",
        "effects",
        "endpointing",
        "engine",
        "errors",
        "events",
        "legs",
        "transcript",
        "turns",
    },
    "dialects": {"audio", "endpointing", "engine", "errors", "events", "service"},
}
"""The rooms without I/O, and the rooms that each may import."""

IO = {"asyncio", "fastapi", "starlette", "vllm", "torch", "time", "threading", "socket"}


def imports(path: Path) -> tuple[set[str], set[str]]:
    """Packages from elsewhere, and rooms of the server, that a module imports anywhere."""
    packages: set[str] = set()
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            packages.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            rooms |= within_server(path, node)
    return packages, rooms


def within_server(path: Path, node: ast.ImportFrom) -> set[str]:
    parts = path.relative_to(SERVER).parent.parts
    base = [*parts[: len(parts) - node.level + 1], *(node.module or "").split(".")]
    inner = [part for part in base if part]
    return {inner[0]} if inner else {alias.name for alias in node.names}


def files(room: str) -> list[Path]:
    return sorted((SERVER / room).glob("*.py")) or [SERVER / f"{room}.py"]


@pytest.mark.parametrize("room", PURE)
def test_rooms_without_io_keep_to_themselves(room: str) -> None:
    for path in files(room):
        packages, rooms = imports(path)
        assert not packages & IO, path
        assert rooms - {room} <= PURE[room], path


def test_the_parser_sees_what_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SERVER", tmp_path)
    (tmp_path / "dialects").mkdir()
    inside = tmp_path / "dialects" / "x.py"
    inside.write_text("from ..transport import serve\nfrom .base import y\nimport asyncio.events")
    assert imports(inside) == ({"asyncio"}, {"transport", "dialects"})
    outside = tmp_path / "y.py"
    outside.write_text("def f():\n    from .vllm_engine import z\n    from . import runner")
    assert imports(outside) == (set(), {"vllm_engine", "runner"})


def test_only_the_adapter_imports_vllm() -> None:
    users = {path.parent for path in SERVER.rglob("*.py") if imports(path)[0] & {"vllm", "torch"}}
    assert users == {SERVER / "vllm_engine"}


def test_client_and_server_share_no_code() -> None:
    client = SERVER.parents[1] / "client" / "voxtide"
    assert not [path for path in SERVER.rglob("*.py") if "voxtide" in imports(path)[0]]
    users = set()
    for path in client.rglob("*.py"):
        if "voxtide_server" in path.read_text() and "import voxtide_server" in path.read_text():
            users.add(path.stem)
    assert users <= {"serve"}  # the command hands `voxtide serve` over to the launcher
