"""Fixtures of the client's tests."""

import pytest

from .shells import AsyncShell, SyncShell


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say what the environment holds."""
    monkeypatch.delenv("VOXTIDE_BASE_URL", raising=False)
    monkeypatch.delenv("VOXTIDE_API_KEY", raising=False)


@pytest.fixture(params=[AsyncShell, SyncShell], ids=["async", "sync"])
def shell(request: pytest.FixtureRequest) -> type[AsyncShell] | type[SyncShell]:
    """Both clients in turn."""
    return request.param
