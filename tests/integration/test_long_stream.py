"""Ten minutes of speech and pauses in one turn."""

from __future__ import annotations

import time
from itertools import pairwise

import jiwer
import numpy as np
import pytest

from tests.conftest import Clip, Server
from tests.integration.audio import Pcm, pause, pcm16
from tests.integration.live import Live, session

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
async def test_ten_minutes_stream_to_the_end_at_an_even_pace(
    server: Server, clips: list[Clip]
) -> None:
    audio, expected = ten_minutes(clips)
    first, middle, last = np.split(audio, [120 * 16_000, len(audio) - 120 * 16_000])
    async with session(server) as live:
        began = time.monotonic()
        await live.say(first)
        await heard(live, 110.0)
        for_first = time.monotonic() - began
        await live.say(middle)
        await heard(live, len(audio) / 16_000 - 130)
        began = time.monotonic()
        await live.say(last)
        await live.commit()
        message = await live.until("transcription.completed")
        for_last = time.monotonic() - began
    assert jiwer.wer(expected, message["transcript"]) <= 0.05
    words = message["words"]
    assert all(a["end"] <= b["end"] for a, b in pairwise(words))
    # Stock vLLM takes more than ten times as long for the last minutes as for the first.
    assert for_last / for_first < 3


async def heard(live: Live, position: float) -> None:
    """Wait for a word that ends after a position, in seconds."""
    while (await live.until("transcription.delta"))["end"] < position:
        pass
