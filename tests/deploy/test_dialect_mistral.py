"""Mistral's protocol: what a message asks for, and how an event is told."""

import pytest

from tests.fakes.dialect import COMPLETED, PCM, SEGMENT, SERVICE, mistral
from voxtide_server.dialects import (
    Message,
    MistralDialect,
    Reply,
)
from voxtide_server.endpointing import Detection
from voxtide_server.errors import BadInput, EngineFailed
from voxtide_server.events import (
    Cleared,
    Commit,
    Committed,
    Configure,
    Delta,
    Detect,
    End,
    Ended,
    Failed,
    SegmentEnded,
    SpeechStarted,
    SpeechStopped,
)


def test_mistral_update_answers_with_what_is_in_force() -> None:
    dialect = MistralDialect(SERVICE)
    asked = mistral(
        audio_format={"encoding": "pcm_f32le", "sample_rate": 44100},
        language="fr",
        target_streaming_delay_ms=960,
        context_bias=["voxtide"],
        diarize=False,
    )
    configure, reply = dialect.receive(asked)
    assert configure == Configure(44100)
    assert isinstance(reply, Reply)
    assert reply.message == {
        "type": "session.updated",
        "session": {
            "request_id": "sess_1",
            "model": "nano",
            "audio_format": {"encoding": "pcm_f32le", "sample_rate": 44100},
            "target_streaming_delay_ms": 480,
            "language": "fr",
            "turn_detection": None,
            "ignored": ["session.context_bias", "session.target_streaming_delay_ms"],
        },
    }


@pytest.mark.parametrize(
    ("asked", "code", "param"),
    [
        (
            mistral(audio_format={"encoding": "opus"}),
            "unsupported_value",
            "session.audio_format.encoding",
        ),
        (
            mistral(audio_format={"sample_rate": 1}),
            "unsupported_rate",
            "session.audio_format.sample_rate",
        ),
        (mistral(audio_format=[]), "invalid_value", "session.audio_format"),
        (mistral(language=5), "invalid_value", "session.language"),
        (
            mistral(target_streaming_delay_ms="soon"),
            "invalid_value",
            "session.target_streaming_delay_ms",
        ),
        (
            mistral(target_streaming_delay_ms=True),
            "invalid_value",
            "session.target_streaming_delay_ms",
        ),
        ({"type": "session.update"}, "missing_field", "session"),
    ],
)
def test_mistral_refuses_an_update_whole(asked: Message, code: str, param: str) -> None:
    dialect = MistralDialect(SERVICE)
    before = dialect.created()
    with pytest.raises(BadInput) as caught:
        dialect.receive(asked)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert dialect.created() == before


def test_mistral_format_stays_once_audio_has_come() -> None:
    dialect = MistralDialect(SERVICE)
    dialect.receive({"type": "input_audio.append", "audio": PCM})
    with pytest.raises(BadInput, match="cannot change"):
        dialect.receive(mistral(audio_format={"encoding": "pcm_alaw"}))
    configure, _ = dialect.receive(mistral(language="de"))
    assert configure == Configure(16000)


def test_mistral_turn_detection() -> None:
    dialect = MistralDialect(SERVICE)
    asked = {"start_threshold": 0.7, "min_silence_ms": 350, "end_threshold": 0.3}
    _, detect, reply = dialect.receive(mistral(turn_detection=asked))
    assert detect == Detect(Detection(threshold=0.7, silence_s=0.35))
    assert isinstance(reply, Reply)
    session = reply.message["session"]
    assert session["turn_detection"] == {"start_threshold": 0.7, "min_silence_ms": 350}
    assert session["ignored"] == ["session.turn_detection.end_threshold"]
    assert len(dialect.receive(mistral(language="de"))) == 2, "it stays as it is"
    assert Detect(None) in dialect.receive(mistral(turn_detection=None))
    with pytest.raises(BadInput) as caught:
        dialect.receive(mistral(turn_detection={"min_silence_ms": 1}))
    assert caught.value.param == "session.turn_detection.min_silence_ms"
    told = [*dialect.encode(SpeechStarted("t", 1.5)), *dialect.encode(SpeechStopped("t", 2.5))]
    assert told == [
        {"type": "turn.start", "time_s": 1.5},
        {"type": "turn.end", "time_s": 2.5, "end_reason": "threshold"},
    ]


def test_mistral_commands() -> None:
    dialect = MistralDialect(SERVICE)
    assert dialect.receive({"type": "input_audio.flush"}) == [Commit()]
    assert dialect.receive({"type": "input_audio.end"}) == [End()]
    silent = MistralDialect(SERVICE)
    assert silent.receive({"type": "input_audio.end"}) == [Commit(), End()]
    with pytest.raises(BadInput) as caught:
        dialect.receive({"type": "input_audio.append", "audio": PCM})
    assert caught.value.code == "session_ended"


def test_mistral_events() -> None:
    dialect = MistralDialect(SERVICE)
    assert dialect.encode(Delta("item_1", " seven", 1.36)) == [
        {"type": "transcription.text.delta", "text": " seven"}
    ]
    words = [{"word": "seven", "start": 1.0, "end": 1.36}]
    segment = {"text": "seven", "start": 1.0, "end": 1.36, "words": words}
    assert dialect.encode(SegmentEnded("item_1", SEGMENT)) == [
        {"type": "transcription.segment", **segment}
    ]
    assert dialect.encode(COMPLETED) == [
        {
            "type": "transcription.done",
            "model": "nano",
            "text": "seven",
            "language": None,
            "usage": {
                "prompt_tokens": 39,
                "completion_tokens": 27,
                "total_tokens": 66,
                "prompt_audio_seconds": 2,
            },
            "segments": [{"type": "transcription_segment", **segment}],
            "start": 0.5,
            "end": 2.0,
        }
    ]
    for silent in (Committed("item_1", None), Cleared(), Ended()):
        assert dialect.encode(silent) == []
    (error,) = dialect.encode(Failed("item_1", EngineFailed("gone")))
    assert error["error"] == {
        "type": "engine_failed",
        "code": 503,
        "message": "gone",
        "param": None,
        "request_id": SERVICE.session_id,
    }
