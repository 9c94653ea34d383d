"""What a run is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from voxtide.dialects import Name as Dialect

Way = Literal["realtime", "fast", "file"]
WAYS: tuple[Way, ...] = ("realtime", "fast", "file")


@dataclass(frozen=True)
class Server:
    """A server to be measured.

    Attributes:
        url: ending in /v1.
        api_key: None: none is sent.
        dialect: that its realtime endpoint speaks.
        model: to be asked for; None: the first that it lists.
        delay_ms: of the model, where the server does not say and somebody else knows.
        label: what reports call it; None: by product and model.
    """

    url: str
    api_key: str | None = None
    dialect: Dialect = "voxtide"
    model: str | None = None
    delay_ms: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class Options:
    """How it is measured.

    Attributes:
        folder: for manifests.
        way: realtime at the speed of speech, realtime at once, or as files.
        split: of the dataset; None: the one that is meant for scoring.
        limit: utterances at the most; None: all.
        seed: of the choice among them.
        parallel: utterances at once.
        tell_language: whether the server is told the dataset's language.
    """

    folder: Path
    way: Way = "realtime"
    split: str | None = None
    limit: int | None = None
    seed: int = 0
    parallel: int = 4
    tell_language: bool = True

    def settings(self, dialect: Dialect) -> dict[str, Any]:
        """As a manifest keeps them."""
        return {
            "seed": self.seed,
            "limit": self.limit,
            "parallel": self.parallel,
            "tell_language": self.tell_language,
            "dialect": None if self.way == "file" else dialect,
        }
