"""vLLM's protocol: what a message asks for, and how an event is told."""

import pytest

from tests.fakes.dialect import COMPLETED, SEGMENT, SERVICE
from voxtide_server.dialects import (
    Message,
    VllmDialect,
)
from voxtide_server.errors import BadInput, EngineFailed
from voxtide_server.events import (
    Cleared,
    Commit,
    Committed,
    Delta,
    Failed,
    SegmentEnded,
)


def test_vllm_only_the_final_commit_ends_an_utterance() -> None:
    dialect = VllmDialect(SERVICE)
    assert dialect.receive({"type": "session.update", "model": "nano"}) == []
    assert dialect.receive({"type": "input_audio_buffer.commit"}) == []
    assert dialect.receive({"type": "input_audio_buffer.commit", "final": False}) == []
    assert dialect.receive({"type": "input_audio_buffer.commit", "final": True}) == [Commit()]


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ({"type": "session.update"}, "missing_field", "model"),
        ({"type": "session.update", "model": "other"}, "model_not_found", "model"),
        ({"type": "session.update", "model": 5}, "invalid_value", "model"),
        ({"type": "input_audio_buffer.commit", "final": True}, "missing_field", "model"),
    ],
)
def test_vllm_asks_for_the_model_first(message: Message, code: str, param: str) -> None:
    with pytest.raises(BadInput) as caught:
        VllmDialect(SERVICE).receive(message)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_vllm_events() -> None:
    dialect = VllmDialect(SERVICE)
    assert dialect.encode(Delta("item_1", " seven", 1.36)) == [
        {"type": "transcription.delta", "delta": " seven"}
    ]
    assert dialect.encode(COMPLETED) == [
        {
            "type": "transcription.done",
            "text": "seven",
            "usage": {"prompt_tokens": 39, "completion_tokens": 27, "total_tokens": 66},
        }
    ]
    for silent in (Committed("item_1", None), SegmentEnded("item_1", SEGMENT), Cleared()):
        assert dialect.encode(silent) == []
    (error,) = dialect.encode(Failed("item_1", EngineFailed("gone")))
    assert error == {
        "type": "error",
        "error": "gone",
        "code": "engine_failed",
        "param": None,
        "request_id": SERVICE.session_id,
    }
