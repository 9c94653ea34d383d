"""Ten minutes of speech and pauses in one turn."""

from __future__ import annotations

import json
import threading
import time
from itertools import pairwise

import jiwer
import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Clip, Server
from tests.integration.audio import Pcm, base64_pieces, pause, pcm16

pytestmark = pytest.mark.integration

MINUTES = 10


def ten_minutes(clips: list[Clip]) -> tuple[Pcm, str]:
    """Known-good clips with pauses of 0.4 to 4 s between them, and their words."""
    random = np.random.default_rng(11)
    pieces: list[Pcm] = []
    words: list[str] = []
    while sum(map(len, pieces)) < MINUTES * 60 * 16_000:
        clip = clips[int(random.integers(len(clips)))]
        pieces += [pcm16(clip.path), pause(random.uniform(0.4, 4.0))]
        words += clip.text.split()
    return np.concatenate(pieces), " ".join(words)


@pytest.mark.timeout(900)
def test_ten_minutes_stream_to_the_end_at_an_even_pace(server: Server, clips: list[Clip]) -> None:
    audio, expected = ten_minutes(clips)
    url = f"ws://{server.host}/v1/realtime?intent=transcription"
    # This client sends as fast as it may, so its pings wait behind megabytes of audio.
    with connect(url, ping_interval=None) as socket:
        sending = threading.Thread(target=send, args=(socket, audio))
        sending.start()
        arrivals: list[tuple[float, float]] = []
        for message in map(json.loads, socket):
            if message["type"].endswith("input_audio_transcription.delta"):
                arrivals.append((message["end"], time.monotonic()))
            if message["type"].endswith("input_audio_transcription.completed"):
                break
        sending.join()
    assert jiwer.wer(expected, message["transcript"]) <= 0.05
    words = message["words"]
    assert all(a["end"] <= b["end"] for a, b in pairwise(words))
    # Stock vLLM takes more than ten times as long for the last minutes as for the first.
    assert seconds_for(arrivals, 480, 600) / seconds_for(arrivals, 10, 130) < 3


def send(socket: ClientConnection, audio: Pcm) -> None:
    session = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}}
    socket.send(json.dumps({"type": "session.update", "session": session}))
    for piece in base64_pieces(audio, 16_000):
        socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": piece}))
    socket.send(json.dumps({"type": "input_audio_buffer.commit"}))


def seconds_for(arrivals: list[tuple[float, float]], start: float, end: float) -> float:
    """How long the words between two times of the audio took to arrive."""
    times = [arrival for word_end, arrival in arrivals if start <= word_end <= end]
    return times[-1] - times[0]
