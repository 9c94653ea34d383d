"""What an operator may set: one object, read once, checked before anything starts.

Each setting has one name. From the weakest to the strongest:

    a YAML file, named by VOXTIDE_CONFIG or --config    backlog_seconds: 5
    the environment                                     VOXTIDE_BACKLOG_SECONDS=5
    a flag of `voxtide serve`                           --backlog-seconds 5

`voxtide serve` hands its flags to vLLM's processes through their environment, so
that the plugin reads the same settings in a stock `vllm serve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from .start_errors import UsageError

PREFIX = "VOXTIDE_"
FILE = "VOXTIDE_CONFIG"


class Config(BaseModel):
    """All settings; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    key: SecretStr | None = Field(
        None, min_length=1, description="the only API key; nobody is asked for one without it"
    )
    keys_file: Path | None = Field(None, description="file of many API keys, read when it changes")
    signing_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="signs short-lived secrets for browsers; the same on all replicas "
        "(default: a new one at each start)",
    )
    guard_metrics: bool = Field(False, description="whether /metrics asks for a key too")
    guard_health: bool = Field(False, description="whether /health asks for a key too")
    allowed_origins: str = Field(
        "*", description="web pages that may open sessions: their origins, with commas between"
    )
    page: bool = Field(False, description="whether / is a page to talk to (docs/page.md)")

    max_sessions: int | None = Field(
        None,
        ge=1,
        description="live sessions at once, in each API server "
        "(default: what the engine has been measured to carry, --max-num-seqs at the most)",
    )
    max_sessions_per_key: int | None = Field(
        None, ge=1, description="the same for one key, in each API server"
    )
    max_requests: int = Field(
        32, ge=1, description="files being transcribed at once, in each API server"
    )
    max_message_bytes: int = Field(
        16 << 20, ge=1 << 16, le=16 << 20, description="largest message over a WebSocket"
    )
    ready_when_full: bool = Field(
        True, description="whether /health/ready stays good while no session fits in"
    )
    session_seconds: float | None = Field(
        None, ge=10, description="longest session; its last turn is finished, then it is closed"
    )
    drain_seconds: float = Field(
        60.0, ge=0, description="time that open sessions get to end when the server is to stop"
    )
    quiet_seconds: float | None = Field(
        None, ge=1, description="time without a message after which a session is ended"
    )

    backlog_seconds: float = Field(
        10.0, ge=1, le=600, description="audio of a session that may wait for the engine"
    )
    queue_seconds: float = Field(
        60.0, gt=0, description="time that a session may wait for its place in the engine"
    )
    stall_seconds: float = Field(
        15.0,
        ge=5,
        description="time without a token, with audio waiting, after which a stream counts as lost",
    )
    idle_seconds: float = Field(
        3.0, ge=1, description="time without audio after which a session gives its place back"
    )
    renew_seconds: float | None = Field(
        None,
        ge=6,
        description="age from which an engine stream is renewed at the next pause "
        "(default: 120, or 60 where streams are resumable requests)",
    )
    file_windows: int = Field(
        16, ge=1, le=1024, description="windows of a file that are transcribed side by side"
    )
    max_file_seconds: float = Field(6 * 3600.0, gt=0, description="longest file, as audio")
    max_upload_bytes: int = Field(1 << 30, gt=0, description="largest request with a file")
    upload_idle_seconds: float = Field(
        30.0, ge=1, description="time in which the next 64 KiB of a request have to come"
    )


def load(environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Config:
    """Read the settings.

    Args:
        environ: environment variables.
        flags: settings given as flags, by name.

    Raises:
        UsageError: the file cannot be read, or a setting is unknown or out of its range;
            the text names it as it was given.
    """
    path = environ.get(FILE)
    given: dict[str, Any] = _read(Path(path)) if path else {}
    spelt = {name: f"{path}: {name}" for name in given}
    for name in Config.model_fields:
        for where, key, spelling in (
            (environ, variable(name), variable(name)),
            (flags or {}, name, flag(name)),
        ):
            if key in where:
                given[name], spelt[name] = where[key], spelling
    try:
        return Config.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        what = "no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise UsageError(f"{spelt[str(first['loc'][0])]}: {what}") from None


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"the configuration cannot be read: {error}") from None
    if settings is None:  # an empty file
        return {}
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: settings are lines of 'name: value'")
    return {str(name): value for name, value in settings.items()}
