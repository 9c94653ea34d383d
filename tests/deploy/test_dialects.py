"""What all dialects have in common at the wire, and which one a connection speaks."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.dialect import COMPLETED, PCM, SERVICE, beta, update
from voxtide_server.dialects import (
    Dialect,
    Message,
    MistralDialect,
    OpenAIDialect,
    Reply,
    VllmDialect,
    choose,
    greeting,
    opening,
)
from voxtide_server.errors import CODES, BadInput, EngineFailed
from voxtide_server.events import (
    Acknowledge,
    Acknowledged,
    Audio,
    Resume,
)

Kind = type[OpenAIDialect] | type[MistralDialect] | type[VllmDialect]
DIALECTS: dict[str, Kind] = {
    "openai": OpenAIDialect,
    "mistral": MistralDialect,
    "vllm": VllmDialect,
}


@pytest.fixture(params=DIALECTS.values(), ids=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    made: Dialect = request.param(SERVICE)
    if isinstance(made, VllmDialect):
        made.receive({"type": "session.update", "model": "nano"})
    return made


def append(dialect: Dialect, **fields: Any) -> Message:
    mistral = isinstance(dialect, MistralDialect)
    return {"type": "input_audio.append" if mistral else "input_audio_buffer.append", **fields}


def test_audio_is_decoded(dialect: Dialect) -> None:
    (audio,) = dialect.receive(append(dialect, audio=PCM))
    assert isinstance(audio, Audio)
    assert audio.samples.tolist() == [0.0, 0.5]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "missing_field"),
        ({"audio": 5}, "invalid_audio"),
        ({"audio": "ä!"}, "invalid_audio"),
        ({"audio": "AAA="[:3]}, "invalid_audio"),
        ({"audio": "AAAA"}, "invalid_audio"),
    ],
)
def test_bad_audio_is_named(dialect: Dialect, fields: Message, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        dialect.receive(append(dialect, **fields))
    assert (caught.value.code, caught.value.param) == (code, "audio")


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
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
            | st.sampled_from(
                [
                    "session.update",
                    "transcription_session.update",
                    "input_audio_buffer.append",
                    "input_audio.append",
                    "transcription",
                    "audio/pcm",
                    "pcm_f32le",
                ]
            ),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            *("type", "audio", "input", "format", "rate", "transcription"),
                            *("delay", "input_audio_format", "input_audio_transcription"),
                            *("audio_format", "encoding", "target_streaming_delay_ms"),
                        ]
                    ),
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


def test_an_error_that_ends_a_session_says_where_it_had_come_to(dialect: Dialect) -> None:
    error = EngineFailed()
    plain = dialect.error(error, None)
    assert "acknowledged_s" not in plain.get("error", plain), "it does not end the session"
    error.acknowledged_s = 12.34567
    told = dialect.error(error, None)
    body = told["error"] if isinstance(told["error"], dict) else told
    assert body["acknowledged_s"] == 12.346
    assert body["type" if isinstance(dialect, MistralDialect) else "code"] == "engine_failed"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, (12.5, 12.5)),
        ({"turn_start": 3.5}, (3.5, 12.5)),
        ({"turn_start": 3.5, "words_after": 22.5}, (3.5, 22.5)),
    ],
)
@pytest.mark.parametrize("kind", [OpenAIDialect, MistralDialect])
def test_a_session_can_go_on_where_another_ended(
    kind: Kind, given: dict[str, float], told: tuple[float, float]
) -> None:
    dialect = kind(SERVICE)
    resume = {"at": 12.5, "previous_item_id": "item_9"} | given
    message = {"type": "session.update", "session": {"acknowledge": True, "resume": resume}}
    commands = dialect.receive(message)
    assert [c for c in commands if isinstance(c, Resume)] == [Resume(12.5, "item_9", *told)]
    assert Acknowledge() in commands
    (reply,) = [c for c in commands if isinstance(c, Reply)]
    assert reply.message["session"]["ignored"] == []
    (event,) = dialect.encode(Acknowledged(13.2500625, "item_8", 12.0000625))
    assert event["type"] == "session.acknowledged"
    places = event["position"] * 16_000, event["turn_start"] * 16_000
    assert places == pytest.approx((212_001, 192_001), abs=0.01), "to the sample"
    dialect.receive(append(dialect, audio=PCM))
    with pytest.raises(BadInput) as caught:
        dialect.receive(message)
    assert caught.value.param == "session.resume"


@pytest.mark.parametrize("kind", [OpenAIDialect, MistralDialect])
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"acknowledge": "yes"}, "session.acknowledge"),
        ({"resume": {"at": -1}}, "session.resume.at"),
        ({"resume": {"at": True}}, "session.resume.at"),
        ({"resume": {"previous_item_id": "x"}}, "session.resume.at"),
        ({"resume": {"at": 1, "previous_item_id": 7}}, "session.resume.previous_item_id"),
        ({"resume": 5}, "session.resume"),
    ],
)
def test_a_wrong_place_to_go_on_is_named(
    kind: type[OpenAIDialect] | type[MistralDialect], fields: Message, param: str
) -> None:
    dialect = kind(SERVICE)
    before = dialect.created()["session"]
    with pytest.raises(BadInput) as caught:
        dialect.receive({"type": "session.update", "session": {"language": "de", **fields}})
    assert (caught.value.code, caught.value.param) == ("invalid_value", param)
    assert dialect.created()["session"] == before


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
        elif isinstance(dialect, OpenAIDialect):
            dialect.receive(update(transcription={"model": name}))
            dialect.receive(beta(input_audio_transcription={"model": name}))


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


def test_the_path_settles_mistrals_dialect() -> None:
    opened = opening("/v1/audio/transcriptions/realtime", SERVICE)
    assert isinstance(opened, MistralDialect)
    first = {"type": "session.update", "model": "nano"}
    assert choose(opened, {"model": "nano"}, first) is opened
    assert greeting(opened, 0.0) == opened.created()
    for beta_header, kind in ((False, "session.created"), (True, "transcription_session.created")):
        opened = opening("/v1/realtime", SERVICE, beta_header)
        assert isinstance(opened, OpenAIDialect)
        assert greeting(opened, 0.0)["type"] == kind


def test_the_greeting_is_right_in_both() -> None:
    message = greeting(OpenAIDialect(SERVICE), 1234.5)
    assert message["type"] == "session.created"
    assert message["session"]["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert (message["id"], message["created"]) == ("sess_1", 1234)
