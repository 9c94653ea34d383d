"""Starting locust as a user does, and asking its web UI."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def command(host: str, manifest: Path, *arguments: str) -> list[str]:
    locust = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtest" / "locustfile.py")]
    return [*locust, "--host", host, "--corpus", str(manifest), *arguments]


def eventually(url: str) -> Any:
    """The figures, as soon as a turn is among them."""
    for _ in range(600):
        try:
            figures = json.loads(fetch(url))
        except OSError:
            figures = None
        if figures and figures["turns"].get("final"):
            return figures
        time.sleep(0.1)
    raise AssertionError(f"no figures at {url}")


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())
