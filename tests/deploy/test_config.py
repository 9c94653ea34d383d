"""What an operator sets, in a file, the environment or flags, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxtide_server import config
from voxtide_server.config import Config, load
from voxtide_server.start_errors import UsageError


def test_what_nobody_set_is_as_documented() -> None:
    assert load({}) == Config()


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "voxtide.yaml"
    file.write_text("backlog_seconds: 5\nqueue_seconds: 6\nidle_seconds: 7\n")
    environ = {
        "VOXTIDE_CONFIG": str(file),
        "VOXTIDE_QUEUE_SECONDS": "16",
        "VOXTIDE_IDLE_SECONDS": "17",
    }
    settings = load(environ, {"idle_seconds": "27"})
    assert (settings.backlog_seconds, settings.queue_seconds, settings.idle_seconds) == (5, 16, 27)


@pytest.mark.parametrize("text", ["", "# nothing is set\n"])
def test_a_file_may_be_empty(tmp_path: Path, text: str) -> None:
    file = tmp_path / "voxtide.yaml"
    file.write_text(text)
    assert load({"VOXTIDE_CONFIG": str(file)}) == Config()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("backlog_second: 5", "FILE: backlog_second: no such setting"),
        ("stall_seconds: soon", "FILE: stall_seconds: Input should be a valid number"),
        ("file_windows: 0", "FILE: file_windows: Input should be greater than or equal to 1"),
        ("file_windows: 1.5", "FILE: file_windows: Input should be a valid integer"),
        ("- 5", "FILE: settings are lines of 'name: value'"),
        ("a: [", "the configuration cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "voxtide.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load({"VOXTIDE_CONFIG": str(file)})
    assert str(caught.value).startswith(told.replace("FILE", str(file)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load({"VOXTIDE_CONFIG": str(tmp_path / "none.yaml")})


def test_a_mistake_elsewhere_is_named_as_it_was_given() -> None:
    with pytest.raises(UsageError, match=r"^VOXTIDE_BACKLOG_SECONDS: Input should be less than"):
        load({"VOXTIDE_BACKLOG_SECONDS": "1e9"})
    with pytest.raises(UsageError, match=r"^--renew-seconds: Input should be a finite number"):
        load({"VOXTIDE_RENEW_SECONDS": "60"}, {"renew_seconds": "nan"})


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    """With its variable and its default, in the table of the operators' page."""
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    field = Config.model_fields[name]
    default = "" if field.default is None else str(field.default)
    assert f"| `{name}` | {default} | {field.description} |" in page
    assert config.flag(name) == f"--{name.replace('_', '-')}"
