"""What `import voxtide` promises."""

import types

import pytest

import voxtide

NAMES = [
    "AsyncClient",
    "AsyncSession",
    "AuthenticationError",
    "Client",
    "DeadlineError",
    "DisconnectedError",
    "Event",
    "Final",
    "OverloadedError",
    "Partial",
    "Progress",
    "ProtocolError",
    "Reconnect",
    "RejectedError",
    "Resumed",
    "Segment",
    "ServerError",
    "ServerFailedError",
    "Session",
    "SessionReady",
    "SourceError",
    "Timeout",
    "Transcript",
    "TurnDetection",
    "TurnEnded",
    "TurnStarted",
    "Unknown",
    "UnreachableError",
    "VoxtideError",
    "Word",
    "__version__",
    "microphone",
]


def test_the_names_that_programs_rely_on_are_there():
    assert sorted(voxtide.__all__) == NAMES


def test_all_names_everything_public_and_nothing_else():
    assert voxtide.AsyncSession  # is imported when it is asked for
    with pytest.raises(AttributeError, match="no attribute 'AsyncSessions'"):
        voxtide.AsyncSessions  # noqa: B018
    public = {
        name
        for name, value in vars(voxtide).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    } - {"Any", "TYPE_CHECKING"} | {"AsyncSession"}
    assert set(voxtide.__all__) == public | {"__version__"}
    assert len(voxtide.__all__) == len(set(voxtide.__all__))


def test_the_two_shells_offer_the_same():
    for first, second in (
        (voxtide.Client, voxtide.AsyncClient),
        (voxtide.Session, voxtide.AsyncSession),
    ):
        assert _public(first) == _public(second)


def _public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}
