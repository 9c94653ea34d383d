"""The dialects at the wire: what a message asks for, and how an event is told."""

import base64
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_server.dialects import (
    Dialect,
    Message,
    OpenAIDialect,
    Reply,
    VllmDialect,
    choose,
    greeting,
)
from voxtide_server.errors import CODES, BadInput, EngineFailed
from voxtide_server.events import (
    Audio,
    Clear,
    Cleared,
    Commit,
    Committed,
    Completed,
    Configure,
    Delta,
    Failed,
    Segment,
    SegmentEnded,
    Word,
)
from voxtide_server.service import Service

DIALECTS: dict[str, type[OpenAIDialect] | type[VllmDialect]] = {
    "openai": OpenAIDialect,
    "vllm": VllmDialect,
}
SERVICE = Service("sess_1", ("nano", "voxtral"), 480)
PCM = base64.b64encode(np.array([0, 16384], "<i2").tobytes()).decode()
ITEM = "conversation.item.input_audio_transcription"

WORD = Word("seven", 1.0, 1.36)
SEGMENT = Segment(0, "seven", (WORD,), (104,))
COMPLETED = Completed("item_1", "seven", (SEGMENT,), 0.5, 2.0, 39, 27)


@pytest.fixture(params=DIALECTS.values(), ids=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    made: Dialect = request.param(SERVICE)
    if isinstance(made, VllmDialect):
        made.receive({"type": "session.update", "model": "nano"})
    return made


def update(**given: Any) -> Message:
    return {
        "type": "session.update",
        "session": {"type": "transcription", "audio": {"input": given}},
    }


# ---- every dialect -----------------------------------------------------------------


def test_audio_is_decoded(dialect: Dialect) -> None:
    (audio,) = dialect.receive({"type": "input_audio_buffer.append", "audio": PCM})
    assert isinstance(audio, Audio)
    assert audio.samples.tolist() == [0.0, 0.5]


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ({"type": "input_audio_buffer.append"}, "missing_field", "audio"),
        ({"type": "input_audio_buffer.append", "audio": 5}, "invalid_audio", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "ä!"}, "invalid_audio", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "AAA="[:3]}, "invalid_audio", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "AAAA"}, "invalid_audio", "audio"),
        ({"type": "nonsense"}, "unknown_event", "type"),
        ({"type": 7}, "unknown_event", "type"),
        ({}, "missing_field", "type"),
    ],
)
def test_bad_input_names_code_and_field(
    dialect: Dialect, message: Message, code: str, param: str
) -> None:
    with pytest.raises(BadInput) as caught:
        dialect.receive(message)
    assert (caught.value.code, caught.value.param) == (code, param)


@given(
    st.dictionaries(
        st.sampled_from(["type", "session", "model", "audio", "final", "event_id"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=5)
            | st.sampled_from(["session.update", "input_audio_buffer.append", "transcription"]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["type", "audio", "input", "format", "rate", "transcription"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_no_message_does_more_than_raise_bad_input(message: Message) -> None:
    codes = set()
    for kind in DIALECTS.values():
        made = kind(SERVICE)
        try:
            made.receive(message)
        except BadInput as error:
            codes.add(error.code)
            orjson.dumps(made.error(error, message))
    assert codes <= CODES.keys()


def test_a_turn_is_told_to_be_final_exactly_once(dialect: Dialect) -> None:
    final = [m for m in dialect.encode(COMPLETED) if "seven" in str(m)]
    assert len(final) == 1


# ---- openai ------------------------------------------------------------------------


def test_an_error_that_ends_a_session_says_where_it_had_come_to(dialect: Dialect) -> None:
    error = EngineFailed()
    plain = dialect.error(error, None)
    assert "acknowledged_s" not in plain.get("error", plain), "it does not end the session"
    error.acknowledged_s = 12.34567
    told = dialect.error(error, None)
    body = told["error"] if isinstance(told["error"], dict) else told
    assert body["acknowledged_s"] == 12.346
    assert body["code"] == "engine_failed"


def test_openai_update_answers_with_what_is_in_force() -> None:
    dialect = OpenAIDialect(SERVICE)
    asked = update(
        format={"type": "audio/pcm", "rate": 16000},
        transcription={"model": "nano", "language": "en"},
    )
    configure, reply = dialect.receive(asked)
    assert configure == Configure(16000)
    assert isinstance(reply, Reply)
    assert reply.message["type"] == "session.updated"
    given = reply.message["session"]["audio"]["input"]
    assert given["format"] == {"type": "audio/pcm", "rate": 16000}
    assert given["transcription"] == {"model": "nano", "language": "en", "delay_ms": 480}
    assert given["turn_detection"] is None


def test_openai_update_changes_only_what_it_names() -> None:
    dialect = OpenAIDialect(SERVICE)
    dialect.receive(update(format={"type": "audio/pcm", "rate": 8000}))
    configure, _ = dialect.receive(update(transcription={"language": "de"}))
    assert configure == Configure(8000)
    _, reply = dialect.receive({"type": "session.update", "session": None})
    assert isinstance(reply, Reply)
    assert reply.message["session"]["audio"]["input"]["transcription"]["language"] == "de"


def test_openai_names_the_fields_without_effect() -> None:
    asked = update(turn_detection={"type": "server_vad"}, transcription={"prompt": "hi"})
    asked["session"]["include"] = ["logprobs"]
    _, reply = OpenAIDialect(SERVICE).receive(asked)
    assert isinstance(reply, Reply)
    assert reply.message["session"]["ignored"] == [
        "session.include",
        "session.audio.input.turn_detection",
        "session.audio.input.transcription.prompt",
    ]


@pytest.mark.parametrize(
    ("asked", "code", "param"),
    [
        (update(format={"rate": 44100}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"rate": "fast"}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"rate": [16000]}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"rate": 16000.0}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"type": "mp3"}), "unsupported_value", "session.audio.input.format.type"),
        (update(format=5), "invalid_value", "session.audio.input.format"),
        (
            update(transcription={"model": "whisper-1"}),
            "model_not_found",
            "session.audio.input.transcription.model",
        ),
        (
            update(transcription={"language": 5}),
            "invalid_value",
            "session.audio.input.transcription.language",
        ),
        ({"type": "session.update"}, "missing_field", "session"),
        ({"type": "session.update", "session": []}, "invalid_value", "session"),
        (
            update(transcription={"language": "x" * 1_000}),
            "invalid_value",
            "session.audio.input.transcription.language",
        ),
        (
            {"type": "session.update", "session": {"type": "realtime"}},
            "unsupported_value",
            "session.type",
        ),
    ],
)
def test_openai_refuses_an_update_whole(asked: Message, code: str, param: str) -> None:
    dialect = OpenAIDialect(SERVICE)
    before = dialect.created()["session"]
    with pytest.raises(BadInput) as caught:
        dialect.receive(asked)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert dialect.created()["session"] == before


def test_openai_commands() -> None:
    dialect = OpenAIDialect(SERVICE)
    assert dialect.receive({"type": "input_audio_buffer.commit"}) == [Commit()]
    assert dialect.receive({"type": "input_audio_buffer.clear"}) == [Clear()]


def test_openai_events() -> None:
    dialect = OpenAIDialect(SERVICE)
    assert told(dialect, Delta("item_1", " seven", 1.36)) == [
        {
            "type": f"{ITEM}.delta",
            "item_id": "item_1",
            "content_index": 0,
            "delta": " seven",
            "end": 1.36,
        }
    ]
    words = [{"word": "seven", "start": 1.0, "end": 1.36}]
    assert told(dialect, SegmentEnded("item_1", SEGMENT)) == [
        {
            "type": f"{ITEM}.segment",
            "item_id": "item_1",
            "content_index": 0,
            "id": "item_1_segment_0",
            "text": "seven",
            "speaker": "",
            "start": 1.0,
            "end": 1.36,
            "words": words,
        }
    ]
    assert told(dialect, COMPLETED) == [
        {
            "type": f"{ITEM}.completed",
            "item_id": "item_1",
            "content_index": 0,
            "transcript": "seven",
            "usage": {"type": "duration", "seconds": 1.5},
            "start": 0.5,
            "end": 2.0,
            "words": words,
        }
    ]
    kinds = [m["type"] for m in dialect.encode(Committed("item_2", "item_1"))]
    assert kinds == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert told(dialect, Cleared()) == [{"type": "input_audio_buffer.cleared"}]
    (failed,) = told(dialect, Failed("item_1", EngineFailed()))
    assert failed["error"]["code"] == "engine_failed"


def told(dialect: Dialect, event: Any) -> list[Message]:
    messages = dialect.encode(event)
    ids = [m.pop("event_id") for m in messages]
    assert len(set(ids)) == len(ids)
    return messages


def test_openai_error_names_the_event_that_caused_it() -> None:
    dialect = OpenAIDialect(SERVICE)
    error = BadInput("invalid_audio", "no", "audio")
    message = dialect.error(error, {"type": "x", "event_id": "mine"})
    assert message["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_audio",
        "message": "no",
        "param": "audio",
        "event_id": "mine",
    }


# ---- vllm --------------------------------------------------------------------------


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
    assert error == {"type": "error", "error": "gone", "code": "engine_failed", "param": None}


@pytest.mark.parametrize("field", ["type", "event_id"])
def test_an_error_does_not_give_back_what_cannot_be_sent(dialect: Dialect, field: str) -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    for value in (deep, "x" * 1_000_000):
        message = {"type": "nonsense", field: value}
        with pytest.raises(BadInput) as caught:
            dialect.receive(message)
        assert len(orjson.dumps(dialect.error(caught.value, message))) < 1_000


def test_every_name_of_the_model_is_taken(dialect: Dialect) -> None:
    for name in SERVICE.models:
        if isinstance(dialect, VllmDialect):
            dialect.receive({"type": "session.update", "model": name})
        else:
            dialect.receive(update(transcription={"model": name}))


# ---- which one ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "first", "expected"),
    [
        ({}, {"type": "session.update", "model": "nano"}, VllmDialect),
        ({}, {"type": "input_audio_buffer.commit", "final": False}, VllmDialect),
        ({}, {"type": "input_audio_buffer.append", "audio": ""}, VllmDialect),
        ({}, {"type": "session.update", "session": {}}, OpenAIDialect),
        ({}, {"type": "session.update", "model": "nano", "session": {}}, OpenAIDialect),
        ({"intent": "transcription"}, {"type": "session.update", "model": "nano"}, OpenAIDialect),
        ({"model": "nano"}, {"type": "input_audio_buffer.commit", "final": True}, OpenAIDialect),
    ],
)
def test_query_and_first_message_settle_the_dialect(
    query: dict[str, str], first: Message, expected: type[Dialect]
) -> None:
    assert type(choose(OpenAIDialect(SERVICE), query, first)) is expected


def test_the_greeting_is_right_in_both() -> None:
    message = greeting(OpenAIDialect(SERVICE), 1234.5)
    assert message["type"] == "session.created"
    assert message["session"]["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert (message["id"], message["created"]) == ("sess_1", 1234)
