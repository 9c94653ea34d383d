"""Bad input against the real server: a clear error, and the next request works."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Clip, Server
from tests.integration.audio import base64_pieces, pcm16

pytestmark = pytest.mark.integration


def append(audio: object) -> str:
    return json.dumps({"type": "input_audio_buffer.append", "audio": audio})


def update(**given: Any) -> str:
    session = {"type": "transcription", "audio": {"input": given}}
    return json.dumps({"type": "session.update", "session": session})


FRAMES: list[tuple[str | bytes, str, str | None]] = [
    ("{no json", "invalid_json", None),
    ("[1, 2]", "invalid_event", None),
    ('"text"', "invalid_event", None),
    ("null", "invalid_event", None),
    ('{"no": "type"}', "missing_field", "type"),
    ('{"type": "no.such.event"}', "unknown_event", "type"),
    (append("%%%"), "invalid_audio", "audio"),
    (append("AAAA"), "invalid_audio", "audio"),
    (append(None), "missing_field", "audio"),
    (append(5), "invalid_audio", "audio"),
    (b"\x00\x01\x02\x03", "binary_frame", None),
    (
        update(transcription={"model": "no-such-model"}),
        "model_not_found",
        "session.audio.input.transcription.model",
    ),
    (update(format={"rate": 44_000}), "unsupported_rate", "session.audio.input.format.rate"),
]


def test_every_bad_frame_is_named_and_the_session_goes_on(
    server: Server, clips: list[Clip]
) -> None:
    with connect(f"ws://{server.host}/v1/realtime?intent=transcription") as socket:
        socket.send(update(format={"type": "audio/pcm", "rate": 16_000}))
        until(socket, "session.updated")
        for frame, code, param in FRAMES:
            socket.send(frame)
            error = until(socket, "error")["error"]
            assert (error["code"], error["param"]) == (code, param), frame
            assert error["message"]
            assert "Traceback" not in error["message"]
        for piece in base64_pieces(pcm16(clips[0].path), 8_000):
            socket.send(append(piece))
        socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        final = until(socket, "conversation.item.input_audio_transcription.completed")
        assert final["transcript"] == clips[0].text


def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=60))
        if message["type"] == kind:
            return message


def test_every_bad_file_is_named_and_the_next_request_works(
    server: Server, clips: list[Clip]
) -> None:
    good = clips[0].path.read_bytes()
    bad = [
        (b"this is a text and no audio file. " * 100, "invalid_audio_file"),
        (b"", "empty_audio_file"),
        (good[: len(good) // 2], "truncated_audio_file"),
    ]
    for content, code in bad:
        response = post(server, content)
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["param"]) == (400, code, "file")
        assert post(server, good).json()["text"] == clips[0].text


def post(server: Server, content: bytes) -> httpx.Response:
    url = f"{server.base_url}/audio/transcriptions"
    return httpx.post(url, files={"file": ("a.flac", content)}, timeout=120)


def test_abrupt_disconnects_leave_nothing_behind(server: Server, clips: list[Clip]) -> None:
    pieces = list(base64_pieces(pcm16(clips[0].path), 4_000))
    for number in range(40):
        socket = connect(f"ws://{server.host}/v1/realtime?intent=transcription")
        socket.send(update(format={"type": "audio/pcm", "rate": 16_000}))
        for piece in pieces[: 1 + number % len(pieces)]:
            socket.send(append(piece))
        socket.socket.close()
    assert post(server, clips[0].path.read_bytes()).json()["text"] == clips[0].text
    for _ in range(100):
        if requests_in_engine(server) == 0:
            return
        time.sleep(0.2)
    pytest.fail(f"{requests_in_engine(server)} requests are left in the engine")


def requests_in_engine(server: Server) -> float:
    text = httpx.get(f"http://{server.host}/metrics").text
    states = re.findall(r"^vllm:num_requests_(?:running|waiting){.*} (.+)$", text, re.MULTILINE)
    assert len(states) == 2
    return sum(map(float, states))
