"""What clients may send: right messages, nearly right ones, and nonsense."""

from __future__ import annotations

import base64
import copy
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import ClientConnection

from voxtide_server.errors import CODES

Frame = str | bytes
Json = Any

_NUMBERS = st.sampled_from(
    [
        *(0, -1, 1 << 31, 1 << 63, -(1 << 64), 10**40, 0.5, -0.0, 1e308, 5e-324),
        *map(float, ("nan", "inf", "-inf")),
    ]
)
_TEXTS = st.text(max_size=8) | st.sampled_from(["", "\x00", "\u202e", "💥", "x" * 5_000, "a\r\nb"])
_NAMES = st.sampled_from(
    [
        *("type", "session", "audio", "input", "format", "rate", "transcription", "model"),
        *("turn_detection", "language", "delay", "final", "event_id", "resume", "at"),
        *("audio_format", "encoding", "sample_rate", "acknowledge", "threshold", "__class__"),
    ]
)
_LEAVES = st.none() | st.booleans() | st.integers(-9, 99_999) | _NUMBERS | _TEXTS
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES | _TEXTS, inner, max_size=3),
    max_leaves=8,
)
_DEEP = st.sampled_from(
    ["[" * 100_000, '{"a":' * 900 + "1" + "}" * 900, "[" * 900 + "]" * 900, "{" * 2_000]
)
_AUDIO = st.binary(max_size=4_000).map(lambda data: base64.b64encode(data).decode())


def _updated(**given: Json) -> Json:
    return {"type": "session.update", "session": given}


_FORMS: list[Json] = [
    *({"type": "audio/pcm", "rate": rate} for rate in (8_000, 11_025, 16_000, 24_000, 48_000)),
    *({"type": kind} for kind in ("audio/pcm", "audio/pcmu", "audio/pcma")),
]
_DETECTIONS: list[Json] = [
    None,
    {"type": "server_vad", "silence_duration_ms": 100, "idle_timeout_ms": 1_000},
    {"type": "semantic_vad", "eagerness": "high"},
]

RIGHT: dict[str, list[Json]] = {
    "openai": [
        *(_updated(audio={"input": {"format": form}}) for form in _FORMS),
        *(_updated(audio={"input": {"turn_detection": detection}}) for detection in _DETECTIONS),
        _updated(audio={"input": {"transcription": {"model": "fake", "delay": "low"}}}),
        _updated(acknowledge=True, resume={"at": 12.5, "previous_item_id": "item_1"}),
        {
            "type": "transcription_session.update",
            "session": {"input_audio_format": "g711_ulaw", "turn_detection": _DETECTIONS[1]},
        },
        {"type": "input_audio_buffer.append", "audio": ""},
        *[{"type": "input_audio_buffer.commit", "event_id": "e"}] * 4,
        {"type": "input_audio_buffer.clear"},
        {"type": "response.create"},
    ],
    "mistral": [
        *(
            _updated(audio_format={"encoding": encoding, "sample_rate": 16_000})
            for encoding in ("pcm_s16le", "pcm_s32le", "pcm_f16le", "pcm_f32le", "pcm_mulaw")
        ),
        _updated(language="de", target_streaming_delay_ms=480, diarize=True),
        _updated(turn_detection={"start_threshold": 0.5, "min_silence_ms": 100}),
        _updated(acknowledge=True, resume={"at": 12.5, "previous_item_id": "item_1"}),
        {"type": "input_audio.append", "audio": ""},
        *[{"type": "input_audio.flush"}] * 4,
    ],
    "vllm": [
        {"type": "session.update", "model": "fake"},
        {"type": "input_audio_buffer.append", "audio": ""},
        *[{"type": "input_audio_buffer.commit", "final": True}] * 3,
        {"type": "input_audio_buffer.commit", "final": False},
        {"type": "input_audio_buffer.clear"},
    ],
}
"""Messages of each dialect as they should be; an empty `audio` stands for any."""


@st.composite
def right(draw: st.DrawFn, dialect: str) -> Json:
    """A message that the dialect knows, with audio in it where there is a place for it."""
    message = copy.deepcopy(draw(st.sampled_from(RIGHT[dialect])))
    if "audio" in message:
        message["audio"] = draw(_AUDIO)
    return message


@st.composite
def nearly_right(draw: st.DrawFn, dialect: str) -> Json:
    """A message of which one part, however deep, is anything, or is not there."""
    message = draw(right(dialect))
    part = message
    while True:
        name = draw(st.sampled_from(sorted(part)))
        inner = part[name]
        if not isinstance(inner, dict) or not inner or draw(st.booleans()):
            break
        part = inner
    if draw(st.integers(0, 4)):
        part[name] = draw(ANYTHING)
    else:
        del part[name]
    return message


def frames(dialect: str) -> st.SearchStrategy[list[Frame]]:
    """What a client sends, in its order; as text, with NaN and Infinity as Python writes them."""
    messages = right(dialect) | right(dialect) | nearly_right(dialect) | ANYTHING
    texts = messages.map(json.dumps) | messages.map(lambda m: json.dumps(m, ensure_ascii=False))
    return st.lists(texts | texts | texts | _TEXTS | _DEEP | st.binary(max_size=50), max_size=12)


def code(message: Json) -> str | None:
    """The code of an error, in any dialect; None where the message tells of none."""
    error = message.get("error")
    if isinstance(error, str):  # vLLM's
        return str(message["code"])
    if error is None:
        return None
    return str(error["type"] if isinstance(error["code"], int) else error["code"])


BLAMES_THE_CLIENT = {name for name, code in CODES.items() if code.status < 500}
"""Codes of errors that a client may be answered with for what it has sent."""


def given_as(frame: Frame) -> Json:
    """The object in a frame; empty where it holds none."""
    with suppress(orjson.JSONDecodeError):
        message = orjson.loads(frame)
        if isinstance(frame, str) and isinstance(message, dict):
            return message
    return {}


def exchange(
    client: ClientConnection, sent: list[Frame], end: Callable[[Json], bool]
) -> list[Json]:
    """Send frames; all that is answered up to a certain message, or until the server closes."""
    for frame_ in sent:
        client.send(frame_)
    messages: list[Json] = []
    with suppress(ConnectionClosedOK):
        while not messages or not end(messages[-1]):
            text = str(client.recv(timeout=60))
            assert "Traceback" not in text
            messages.append(json.loads(text))
    codes = {code(message) for message in messages} - {None}
    assert codes <= BLAMES_THE_CLIENT, messages
    return messages


# ---- bytes -------------------------------------------------------------------------

SHAKE = (
    b"GET /v1/realtime?intent=transcription HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)
"""A handshake."""


def frame(opcode: int, data: bytes = b"", *, first: int = 0x80, mask: int = 0x80) -> bytes:
    """A frame with a mask of zeros; `first` are the bits beside the opcode."""
    length = (
        bytes([mask | len(data)]) if len(data) < 126 else struct.pack("!BH", mask | 126, len(data))
    )
    return bytes([first | opcode]) + length + (bytes(4) if mask else b"") + data
