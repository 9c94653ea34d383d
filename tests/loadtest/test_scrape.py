"""What /metrics says meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from voxtide_loadtest.capacity.scrape import Scraper, read

TEXT = """\
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.75
# TYPE vllm:iteration_tokens_total histogram
vllm:iteration_tokens_total_bucket{engine="0",le="1.0"} 3.0
vllm:iteration_tokens_total_bucket{engine="0",le="+Inf"} 40.0
vllm:iteration_tokens_total_count{engine="0"} 40.0
vllm:iteration_tokens_total_sum{engine="0"} 99.0
# TYPE voxtide_sessions gauge
voxtide_sessions{dialect="openai"} 3
voxtide_sessions{dialect="vllm"} 2
"""


def test_label_sets_become_one_value_and_what_is_absent_is_left_out() -> None:
    assert read(TEXT) == {
        "cpu_seconds": 12.5,
        "kv_cache_share": 0.75,
        "engine_steps": 40.0,
        "sessions": 5.0,
    }
    assert read("# TYPE other gauge\nother 1\n") == {}


@contextmanager
def serving(status: int, text: str) -> Iterator[tuple[str, threading.Event]]:
    """A server with such a page, and whether it was asked for it."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())
            asked.set()

        def log_message(self, *_: object) -> None:
            pass

    asked = threading.Event()
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/metrics", asked
        finally:
            server.shutdown()
            thread.join()


def test_it_looks_as_long_as_it_is_entered() -> None:
    with serving(200, TEXT) as (url, _), Scraper(url) as scraper:
        while len(scraper.samples) < 2:
            time.sleep(0.05)
    first, second = scraper.samples[:2]
    assert first["cpu_seconds"] == 12.5
    assert first["unix_s"] < second["unix_s"]


@pytest.mark.parametrize(("status", "text"), [(404, TEXT), (200, "<html>"), (200, "")])
def test_a_server_without_metrics_gives_none(status: int, text: str) -> None:
    with serving(status, text) as (url, asked), Scraper(url) as scraper:
        assert asked.wait(60)
    assert scraper.samples == []
