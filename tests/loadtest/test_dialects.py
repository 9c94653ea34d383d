"""Messages of each dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voxtide_loadtest.dialects import DIALECTS
from voxtide_loadtest.dialects.base import Completed, Failed, Named, Ready, TextDelta

T = "conversation.item.input_audio_transcription."
READ: list[tuple[str, dict[str, Any], object]] = [
    ("openai", {"type": "session.created", "session": {}}, None),
    (
        "openai",
        {
            "type": "session.updated",
            "session": {"audio": {"input": {"transcription": {"delay_ms": 480}}}},
        },
        Ready(480),
    ),
    ("openai", {"type": "session.updated", "session": {"audio": {"input": {}}}}, Ready(None)),
    ("openai", {"type": f"{T}delta", "item_id": "i", "delta": " a"}, TextDelta(" a", None, "i")),
    (
        "openai",
        {"type": f"{T}delta", "item_id": "i", "delta": "a", "end": 1.2},
        TextDelta("a", 1.2, "i"),
    ),
    ("openai", {"type": f"{T}delta", "item_id": "i", "delta": ""}, None),
    ("openai", {"type": "input_audio_buffer.committed", "item_id": "i"}, Named("i")),
    ("openai", {"type": f"{T}completed", "item_id": "i", "transcript": "a"}, Completed("a", "i")),
    ("openai", {"type": f"{T}failed", "item_id": "i", "error": {"code": "x"}}, Failed("x", "i")),
    ("openai", {"type": "error", "error": {"type": "t", "code": None}}, Failed("t", None)),
    ("openai", {"type": "something.new"}, None),
    ("mistral", {"type": "transcription.text.delta", "text": "a"}, TextDelta("a", None, "")),
    ("mistral", {"type": "transcription.done", "text": "a", "model": "m"}, Completed("a", "")),
    (
        "mistral",
        {"type": "error", "error": {"type": "server_full", "code": 503}},
        Failed("server_full", ""),
    ),
    ("vllm", {"type": "session.created", "id": "s"}, Ready(None)),
    ("vllm", {"type": "transcription.delta", "delta": " a"}, TextDelta(" a", None, "")),
    ("vllm", {"type": "transcription.delta", "delta": ""}, None),
    ("vllm", {"type": "transcription.done", "text": " a"}, Completed(" a", "")),
    ("vllm", {"type": "error", "error": "no", "code": "c"}, Failed("c", "")),
    ("vllm", {"type": "error", "error": "no"}, Failed("error", "")),
]


@pytest.mark.parametrize(("dialect", "message", "event"), READ)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_messages_are_understood(
    dialect: str, message: dict[str, Any], event: object, separators: tuple[str, str]
) -> None:
    text = json.dumps(message, separators=separators).encode()
    assert DIALECTS[dialect].read(text) == event


@pytest.mark.parametrize("message", [b"{", b"[]", b"{}", b'{"type": 1}'])
@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_what_is_no_message_is_an_error(dialect: str, message: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        DIALECTS[dialect].read(message)


def test_a_message_without_what_it_is_about_is_an_error() -> None:
    with pytest.raises(ValueError, match="delta"):
        DIALECTS["openai"].read(f'{{"type": "{T}delta", "item_id": "i"}}'.encode())


def written(dialect: str) -> list[dict[str, Any]]:
    spoken = DIALECTS[dialect]
    messages = [*spoken.opening("m", 16_000), *spoken.begin(), spoken.append("AAA=")]
    return [json.loads(message) for message in (*messages, *spoken.commit())]


def test_openai_begins_with_its_settings() -> None:
    opening, append, commit = written("openai")
    audio_input = opening["session"]["audio"]["input"]
    assert audio_input["format"] == {"type": "audio/pcm", "rate": 16_000}
    assert audio_input["transcription"] == {"model": "m"}
    assert audio_input["turn_detection"] is None
    assert append == {"type": "input_audio_buffer.append", "audio": "AAA="}
    assert commit == {"type": "input_audio_buffer.commit"}


def test_mistral_flushes() -> None:
    opening, append, flush = written("mistral")
    form = {"encoding": "pcm_s16le", "sample_rate": 16_000}
    assert opening == {"type": "session.update", "session": {"audio_format": form}}
    assert append == {"type": "input_audio.append", "audio": "AAA="}
    assert flush == {"type": "input_audio.flush"}


def test_vllm_begins_and_ends_with_commits() -> None:
    opening, begin, append, end = written("vllm")
    assert opening == {"type": "session.update", "model": "m"}
    assert begin == {"type": "input_audio_buffer.commit", "final": False}
    assert append == {"type": "input_audio_buffer.append", "audio": "AAA="}
    assert end == {"type": "input_audio_buffer.commit", "final": True}


@pytest.mark.parametrize(
    ("dialect", "host", "address"),
    [
        ("openai", "http://h:1/v1", "ws://h:1/v1/realtime?intent=transcription"),
        ("openai", "https://h/", "wss://h/v1/realtime?intent=transcription"),
        ("mistral", "http://h", "ws://h/v1/audio/transcriptions/realtime?model=a+b"),
        ("vllm", "http://h/v1/", "ws://h/v1/realtime"),
    ],
)
def test_addresses(dialect: str, host: str, address: str) -> None:
    assert DIALECTS[dialect].address(host, "a b") == address
