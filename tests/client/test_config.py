"""Where the server is."""

import pytest

from voxtide import Timeout
from voxtide.config import Endpoint


def test_arguments_come_before_the_environment_and_that_before_the_defaults(monkeypatch):
    assert Endpoint.resolve(None, None) == Endpoint("http://127.0.0.1:8000/v1", None)
    monkeypatch.setenv("VOXTIDE_BASE_URL", "https://speech.example/v1/")
    monkeypatch.setenv("VOXTIDE_API_KEY", "secret")
    assert Endpoint.resolve(None, None) == Endpoint("https://speech.example/v1", "secret")
    assert Endpoint.resolve("http://a/v1", "key") == Endpoint("http://a/v1", "key")


def test_an_empty_variable_counts_as_none(monkeypatch):
    monkeypatch.setenv("VOXTIDE_BASE_URL", "")
    monkeypatch.setenv("VOXTIDE_API_KEY", "")
    assert Endpoint.resolve(None, None) == Endpoint("http://127.0.0.1:8000/v1", None)


@pytest.mark.parametrize(
    ("base_url", "realtime"),
    [
        ("http://a:1/v1", "ws://a:1/v1/realtime?intent=transcription"),
        ("https://a/v1/", "wss://a/v1/realtime?intent=transcription"),
    ],
)
def test_http_becomes_ws(base_url, realtime):
    endpoint = Endpoint.resolve(base_url, None)
    assert endpoint.realtime_url("/realtime", {"intent": "transcription"}) == realtime


@pytest.mark.parametrize("url", ["localhost:8000", "ws://a/v1", "http://", "/v1", "ftp://a"])
def test_what_is_no_base_url_is_refused(url):
    with pytest.raises(ValueError, match="base_url must look like"):
        Endpoint.resolve(url, None)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("[::1]", True), ("10.0.0.1", False), ("a", False)],
)
def test_a_server_on_this_machine_needs_no_proxy(host, loopback):
    assert Endpoint.resolve(f"http://{host}:1/v1", None).is_loopback is loopback


@pytest.mark.parametrize("name", ["connect", "response", "feed", "final"])
def test_a_timeout_is_more_than_nothing(name):
    with pytest.raises(ValueError, match=name):
        Timeout(**{name: 0.0})
