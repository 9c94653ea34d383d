"""OpenAI's protocol: what a message asks for, and how an event is told."""

import base64
from dataclasses import replace

import pytest

from tests.fakes.dialect import (
    COMPLETED,
    ITEM,
    PCM,
    SEGMENT,
    SERVICE,
    beta,
    told,
    update,
)
from voxtide_server.audio import decode
from voxtide_server.dialects import (
    Message,
    OpenAIDialect,
    Reply,
)
from voxtide_server.endpointing import Detection
from voxtide_server.errors import BadInput, EngineFailed
from voxtide_server.events import (
    Audio,
    Clear,
    Cleared,
    Commit,
    Committed,
    Configure,
    Delta,
    Detect,
    Failed,
    IdleTimeout,
    Score,
    Scored,
    SegmentEnded,
    SpeechStarted,
    SpeechStopped,
)
from voxtide_server.service import Service


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
    assert given["transcription"] == {
        "model": "nano",
        "language": "en",
        "delay": "medium",
        "delay_ms": 480,
    }
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
    detection = {"type": "server_vad", "create_response": True}
    asked = update(turn_detection=detection, transcription={"prompt": "hi"})
    asked["session"]["include"] = ["logprobs"]
    *_, reply = OpenAIDialect(SERVICE).receive(asked)
    assert isinstance(reply, Reply)
    assert reply.message["session"]["ignored"] == [
        "session.audio.input.turn_detection.create_response",
        "session.include",
        "session.audio.input.transcription.prompt",
    ]


LOGPROBS = "item.input_audio_transcription.logprobs"


@pytest.mark.parametrize("kind", ["session.update", "transcription_session.update"])
def test_openai_logprobs_are_asked_for_and_told(kind: str) -> None:
    dialect = OpenAIDialect(SERVICE)
    *commands, reply = dialect.receive({"type": kind, "session": {"include": [LOGPROBS]}})
    assert Score(True) in commands
    assert isinstance(reply, Reply)
    assert reply.message["session"]["include"] == [LOGPROBS]
    assert reply.message["session"]["ignored"] == []
    *commands, reply = dialect.receive({"type": kind, "session": {}})
    assert Score(False) not in commands, "what is not named stays as it is"
    told = [{"token": " se", "bytes": [32, 115, 101], "logprob": -0.25}]
    (delta,) = dialect.encode(Delta("item_1", " se", 1.0, (Scored(b" se", -0.25),)))
    assert delta["logprobs"] == told
    segment = replace(SEGMENT, logprobs=(Scored(b" se", -0.25), Scored(b"\xc3", -1.0)))
    (completed,) = dialect.encode(replace(COMPLETED, segments=(segment,)))
    half = {"token": "\ufffd", "bytes": [0xC3], "logprob": -1.0}
    assert completed["logprobs"] == [*told, half]
    *commands, _ = dialect.receive({"type": kind, "session": {"include": None}})
    assert Score(False) in commands


def test_openai_without_logprobs_has_no_such_field() -> None:
    (delta,) = OpenAIDialect(SERVICE).encode(Delta("item_1", " se", 1.0))
    (completed,) = OpenAIDialect(SERVICE).encode(COMPLETED)
    assert "logprobs" not in delta
    assert "logprobs" not in completed


@pytest.mark.parametrize(
    ("asked", "code", "param"),
    [
        (
            {"type": "session.update", "session": {"include": LOGPROBS}},
            "invalid_value",
            "session.include",
        ),
        (update(format={"rate": 44000}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"rate": "fast"}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"rate": [16000]}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"rate": 16000.0}), "unsupported_rate", "session.audio.input.format.rate"),
        (update(format={"type": "mp3"}), "unsupported_value", "session.audio.input.format.type"),
        (update(format={"type": []}), "unsupported_value", "session.audio.input.format.type"),
        (update(format=5), "invalid_value", "session.audio.input.format"),
        (
            update(transcription={"delay": "none"}),
            "unsupported_value",
            "session.audio.input.transcription.delay",
        ),
        (
            update(turn_detection={"type": "magic"}),
            "unsupported_value",
            "session.audio.input.turn_detection.type",
        ),
        (
            update(turn_detection={"threshold": 2}),
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            update(turn_detection={"silence_duration_ms": True}),
            "invalid_value",
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (beta(turn_detection=5), "invalid_value", "session.turn_detection"),
        (beta(input_audio_format="mp3"), "unsupported_value", "session.input_audio_format"),
        (
            beta(input_audio_transcription={"model": "whisper-1"}),
            "model_not_found",
            "session.input_audio_transcription.model",
        ),
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


@pytest.mark.parametrize(
    ("kind", "encoding"), [("audio/pcmu", "pcm_mulaw"), ("audio/pcma", "pcm_alaw")]
)
def test_openai_telephone_audio(kind: str, encoding: str) -> None:
    dialect = OpenAIDialect(SERVICE)
    configure, reply = dialect.receive(update(format={"type": kind}))
    assert configure == Configure(8000)
    assert isinstance(reply, Reply)
    assert reply.message["session"]["audio"]["input"]["format"] == {"type": kind}
    (audio,) = dialect.receive({"type": "input_audio_buffer.append", "audio": PCM})
    assert isinstance(audio, Audio)
    assert audio.samples.tolist() == decode(base64.b64decode(PCM), encoding, "").tolist()
    configure, _ = dialect.receive(update(transcription={"language": "de"}))
    assert configure == Configure(8000), "the format stays"
    configure, _ = dialect.receive(update(format={"type": "audio/pcm"}))
    assert configure == Configure(24000)


@pytest.mark.parametrize(
    ("served", "asked", "effective"),
    [
        (480, "medium", "medium"),
        (480, "minimal", "medium"),
        (240, "low", "low"),
        (80, "xhigh", "minimal"),
    ],
)
def test_openai_delay_is_the_servers(served: int, asked: str, effective: str) -> None:
    dialect = OpenAIDialect(Service("sess_1", ("nano",), served))
    _, reply = dialect.receive(update(transcription={"delay": asked}))
    assert isinstance(reply, Reply)
    session = reply.message["session"]
    assert session["audio"]["input"]["transcription"]["delay"] == effective
    unmet = [] if asked == effective else ["session.audio.input.transcription.delay"]
    assert session["ignored"] == unmet


def test_openai_beta_clients_are_answered_in_their_own_shape() -> None:
    dialect = OpenAIDialect(SERVICE)
    asked = beta(
        input_audio_format="g711_ulaw",
        input_audio_transcription={"model": "nano", "language": "en", "prompt": "hi"},
        turn_detection=None,
        input_audio_noise_reduction={"type": "near_field"},
    )
    configure, reply = dialect.receive(asked)
    assert configure == Configure(8000)
    assert isinstance(reply, Reply)
    assert reply.message["type"] == "transcription_session.updated"
    session = reply.message["session"]
    assert session["input_audio_format"] == "g711_ulaw"
    assert session["input_audio_transcription"]["language"] == "en"
    assert session["ignored"] == [
        "session.input_audio_noise_reduction",
        "session.input_audio_transcription.prompt",
    ]
    configure, _ = dialect.receive(beta(input_audio_format="pcm16"))
    assert configure == Configure(24000)


@pytest.mark.parametrize(
    ("asked", "told", "meant"),
    [
        (
            {"type": "server_vad"},
            {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "idle_timeout_ms": None,
            },
            Detection(),
        ),
        (
            {"threshold": 1, "silence_duration_ms": 350, "idle_timeout_ms": 6000},
            {
                "type": "server_vad",
                "threshold": 1,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 350,
                "idle_timeout_ms": 6000,
            },
            Detection(threshold=1, silence_s=0.35, idle_s=6.0),
        ),
        (
            {"type": "semantic_vad", "eagerness": "high"},
            {"type": "semantic_vad", "eagerness": "high"},
            Detection(silence_s=0.5, semantic=True),
        ),
    ],
)
def test_openai_turn_detection(asked: Message, told: Message, meant: Detection) -> None:
    for message in (update(turn_detection=asked), beta(turn_detection=asked)):
        dialect = OpenAIDialect(SERVICE)
        commands = dialect.receive(message)
        assert Detect(meant) in commands
        reply = commands[-1]
        assert isinstance(reply, Reply)
        session = reply.message["session"]
        if "audio" in session:
            session = session["audio"]["input"]
        assert session["turn_detection"] == told
        assert reply.message["session"]["ignored"] == []
    stays = dialect.receive(update(transcription={"language": "de"}))
    assert not [command for command in stays if isinstance(command, Detect)]
    assert Detect(None) in dialect.receive(update(turn_detection=None))


def test_openai_tells_of_speech() -> None:
    dialect = OpenAIDialect(SERVICE)
    buffer = "input_audio_buffer"
    assert told(dialect, SpeechStarted("item_1", 1.25)) == [
        {"type": f"{buffer}.speech_started", "item_id": "item_1", "audio_start_ms": 1250}
    ]
    assert told(dialect, SpeechStopped("item_1", 2.5)) == [
        {"type": f"{buffer}.speech_stopped", "item_id": "item_1", "audio_end_ms": 2500}
    ]
    assert told(dialect, IdleTimeout("item_1", 1.0, 7.0)) == [
        {
            "type": f"{buffer}.timeout_triggered",
            "item_id": "item_1",
            "audio_start_ms": 1000,
            "audio_end_ms": 7000,
        }
    ]


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


def test_openai_error_names_the_event_that_caused_it() -> None:
    dialect = OpenAIDialect(SERVICE)
    error = BadInput("invalid_audio", "no", "audio")
    message = dialect.error(error, {"type": "x", "event_id": "mine"})
    assert message["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_audio",
        "message": "no",
        "param": "audio",
        "request_id": SERVICE.session_id,
        "event_id": "mine",
    }
