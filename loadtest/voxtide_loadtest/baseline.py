"""What a server does with each clip when nobody else is there (`idle.py` finds out)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Idle:
    """What a server did with a clip, alone.

    Attributes:
        text: the final transcript, without case and punctuation.
        latency_ms: for each word of the clip the median word emission latency; null for a word
            that was not heard, and empty where the corpus does not know when words end.
    """

    text: str
    latency_ms: tuple[float | None, ...]

    def late(self, index: int, latency_s: float, frame_s: float) -> bool | None:
        """Whether a word came more than a frame later than alone; None if nobody knows."""
        alone = self.latency_ms[index] if index < len(self.latency_ms) else None
        return None if alone is None else latency_s - alone / 1000 > frame_s


def write(path: Path, idle: Mapping[str, Idle]) -> None:
    """As JSON: for each clip `{text, latency_ms}`."""
    text = json.dumps({name: asdict(one) for name, one in idle.items()}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read(path: str) -> dict[str, Idle]:
    """What `write` wrote.

    Raises:
        ValueError: the file is not such a one.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
        return {
            name: Idle(str(row["text"]), tuple(row["latency_ms"])) for name, row in rows.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as broken:
        raise ValueError(f"{path}: {type(broken).__name__} {broken}") from None
