"""Servers as they are given on the command line."""

from __future__ import annotations

import pytest

from voxtide_loadtest.capacity.server import Server


def test_a_url_alone_and_with_all_fields() -> None:
    assert Server.parse("http://a:1") == Server("http://a:1", "http://a:1")
    text = "https://a/v1,name=stock,dialect=vllm,model=nano,delay_ms=480"
    assert Server.parse(text) == Server("https://a/v1", "stock", "vllm", "nano", 480)


@pytest.mark.parametrize("url", ["http://a:1", "http://a:1/", "http://a:1/v1", "http://a:1/v1/"])
def test_metrics_are_beside_the_api(url: str) -> None:
    assert Server.parse(url).metrics == "http://a:1/metrics"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("localhost:8000", "URL"),
        ("http://a,dialect=x", "dialect"),
        ("http://a,dialect=vllm", "model"),
        ("http://a,delay_ms=x", "delay_ms"),
        ("http://a,colour=red", "name="),
        ("http://a,name=", "name="),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Server.parse(text)
