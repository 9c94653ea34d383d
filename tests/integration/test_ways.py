"""The same tokens, whichever way a stream takes through vLLM.

Three servers hear the same clips: stock vLLM's own endpoint, without any of voxtide;
voxtide with a resumable request for each stream; and voxtide as it is by default,
with decode requests, batched frames and files as windows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Clip, Server, load_clips, serving
from tests.integration.audio import pcm16
from voxtide_server.bench import load, servers

pytestmark = pytest.mark.integration

RESUMABLE = ("--", "--scheduler-cls", "vllm.v1.core.sched.scheduler.Scheduler")


@pytest.fixture(scope="module")
def resumable() -> Iterator[Server]:
    with serving(*RESUMABLE) as server:
        assert "each frame is a request update of its own" in server.log.read_text()
        yield server


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    log = tmp_path_factory.mktemp("stock") / "server.log"
    with servers.running("stock", "nano", [], log) as server:
        yield server


def tokens(server: Server, path: Path) -> dict[str, Any]:
    """Text tokens by segment, and the frame in which each word ended."""
    url = f"{server.base_url}/audio/transcriptions"
    fields = {
        "model": "nano",
        "response_format": "verbose_json",
        "timestamp_granularities[]": ["word", "segment"],
    }
    response = httpx.post(url, files={"file": path.read_bytes()}, data=fields, timeout=120)
    answer: dict[str, Any] = response.raise_for_status().json()
    return {
        "text": answer["text"],
        "tokens": [segment["tokens"] for segment in answer["segments"]],
        "words": answer["words"],
    }


@pytest.mark.parametrize("clip", load_clips(), ids=lambda clip: clip.path.stem)
def test_decode_requests_bring_the_tokens_of_resumable_ones(
    server: Server, resumable: Server, clip: Clip
) -> None:
    ours = tokens(server, clip.path)
    assert ours == tokens(resumable, clip.path)
    assert ours["text"] == clip.text
    assert sum(map(len, ours["tokens"])) >= len(ours["words"])


async def test_stock_vllm_brings_the_same_words_in_the_same_frames(
    server: Server, stock: servers.Server
) -> None:
    """Stock sends a delta for each frame; the delta with a word's text follows its marker."""

    async def deltas(clip: Clip) -> tuple[str, list[int]]:
        (stream,) = await load.run(stock, load.Clip(pcm16(clip.path)), 1, paced=False)
        return stream.text, [frame for frame, _ in stream.heard]

    for clip in load_clips():
        text, frames = await deltas(clip)
        ours = await asyncio.to_thread(tokens, server, clip.path)
        assert (ours["text"], text) == (clip.text, clip.text)
        ends = [round(word["end"] / 0.08 - 0.5) for word in ours["words"]]
        first = {end: frame for frame, end in reversed(list(zip(frames, ends, strict=True)))}
        # Words that end in one frame queue behind its marker: the first of them tells.
        assert [frame - end for end, frame in first.items()] == [1] * len(first), clip.path.stem


@pytest.mark.parametrize("clip", load_clips()[:3], ids=lambda clip: clip.path.stem)
def test_both_ways_are_as_sure(server: Server, resumable: Server, clip: Clip) -> None:
    def logprobs(server: Server) -> list[float]:
        url = f"{server.base_url}/audio/transcriptions"
        file = {"file": clip.path.read_bytes()}
        response = httpx.post(url, files=file, data={"include[]": "logprobs"}, timeout=120)
        return [scored["logprob"] for scored in response.raise_for_status().json()["logprobs"]]

    ours = logprobs(server)
    assert len(ours) > 5
    # Other shapes of batches round otherwise.
    assert ours == pytest.approx(logprobs(resumable), abs=0.1)
