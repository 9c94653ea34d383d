"""`voxtide serve` and `voxtide drain`."""

import sys
import types

import pytest
from click.testing import CliRunner

from voxtide.command import main


@pytest.fixture
def launcher(monkeypatch):
    """The server's half, which remembers its arguments and answers 7."""
    module = types.ModuleType("voxtide_server.launcher")
    module.seen = []
    module.main = lambda arguments: module.seen.append(arguments) or 7
    monkeypatch.setitem(sys.modules, "voxtide_server", types.ModuleType("voxtide_server"))
    monkeypatch.setitem(sys.modules, "voxtide_server.launcher", module)
    monkeypatch.setitem(sys.modules, "voxtide_server.drain", module)
    return module


@pytest.mark.parametrize("command", ["serve", "drain"])
@pytest.mark.parametrize(
    "arguments",
    [[], ["--port", "0", "--help"], ["model", "--x=1", "-h", "--", "--seed", "1"]],
)
def test_every_argument_and_the_exit_code_are_passed_on(launcher, command, arguments):
    result = CliRunner().invoke(main, [command, *arguments])
    assert result.exit_code == 7
    assert launcher.seen == [arguments]


def test_without_the_server_there_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "voxtide_server", None)
    monkeypatch.delitem(sys.modules, "voxtide_server.launcher", raising=False)
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the server is not part of this installation (no voxtide_server)\n"
    )
