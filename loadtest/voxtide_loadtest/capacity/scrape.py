"""What a server's /metrics says, once a second, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

_EVERY_S = 1.0
_SERIES: dict[str, tuple[str, Callable[[Iterable[float]], float]]] = {
    "cpu_seconds": ("process_cpu_seconds_total", sum),
    "kv_cache_share": ("vllm:kv_cache_usage_perc", max),
    "engine_steps": ("vllm:iteration_tokens_total_count", sum),
    "requests_running": ("vllm:num_requests_running", sum),
    "requests_waiting": ("vllm:num_requests_waiting", sum),
    "sessions": ("voxtide_sessions", sum),
    "backlog_seconds": ("voxtide_backlog_seconds", sum),
    "deadline_misses": ("voxtide_step_deadline_misses_total", sum),
}
"""Name here: name there, and how the values of several label sets become one."""


def read(text: str) -> dict[str, float]:
    """The values that are there, of those above; what a server does not have is left out.

    Raises:
        ValueError: the text is not in Prometheus' format.
    """
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(float(sample.value))
    return {name: join(found[there]) for name, (there, join) in _SERIES.items() if there in found}


class Scraper:
    """Looks at a server as long as it is entered.

    Args:
        url: of /metrics.

    Attributes:
        samples: {"unix_s", and the values of `read`}; none where there is no such page.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.samples: list[dict[str, Any]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Scraper:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        with httpx.Client(timeout=5.0) as client:
            while not self._over.wait(_EVERY_S):
                try:
                    answer = client.get(self._url).raise_for_status()
                    values = read(answer.text)
                except (httpx.HTTPError, ValueError):
                    continue  # a server under load may miss one; stock servers may have none
                if values:
                    self.samples.append({"unix_s": round(time.time(), 3), **values})
