"""What all connections of a process share."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from .admission import Admission
from .config import Config
from .drain import Drain
from .engine import Engine
from .errors import Refused
from .keys import Keys


@dataclass(frozen=True)
class Deployment:
    """What serves, and who is let in.

    Attributes:
        sessions: live sessions.
        requests: files being transcribed.
        drain: whether the server is to end.
    """

    engine: Engine
    config: Config
    keys: Keys
    sessions: Admission
    requests: Admission
    drain: Drain

    @property
    def status(self) -> str:
        """`ready`, or why a new session would not be served."""
        if not self.engine.alive:
            return "engine_dead"
        if self.drain.asked:
            return "draining"
        if self.config.ready_when_full or not self.sessions.full:
            return "ready"
        return "full"

    @property
    def busy(self) -> bool:
        """Whether anybody is inside."""
        return bool(self.sessions.inside or self.requests.inside)

    def check_open(self) -> None:
        """Raise Refused where the server is to end."""
        if self.drain.asked:
            raise Refused("draining", "The server is about to stop: try another one.", 1)


def deploy(engine: Engine, config: Config, room: int, run_folder: Path | None = None) -> Deployment:
    """Put a deployment together.

    Args:
        engine: that transcribes.
        config: the operator's settings.
        room: live sessions at once.
        run_folder: where the launcher asks for the end.

    Raises:
        UsageError: the file of keys cannot be read.
    """
    key, secret = config.key, config.signing_secret
    return Deployment(
        engine,
        config,
        Keys(
            None if key is None else key.get_secret_value(),
            config.keys_file,
            secrets.token_hex() if secret is None else secret.get_secret_value(),
        ),
        Admission(room, config.max_sessions_per_key, "sessions"),
        Admission(config.max_requests, None, "files"),
        Drain(run_folder, config.drain_seconds),
    )
