"""Streams in vLLM's real scheduler, without an engine: every step is made by hand."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from voxtide_server import checkpoint
from voxtide_server.vllm_engine.ticks import LOST, unpack

pytestmark = [
    pytest.mark.integration,  # needs vLLM, though no server
    pytest.mark.filterwarnings("ignore"),  # what vLLM and torch warn of when imported
]

PROMPT = [1] * 39
BLOCK = 16
"""Tokens of a block of the KV cache."""
PLACES = 2
TOKEN = 7


class Engine:
    """A scheduler with a worker that brings the same token for everything.

    Attributes:
        answers: pairs of a stream's number and a token, in their order.
        batches: of each step, how many streams were in it.
        sizes: of each step, bytes of what is sent to the worker.
    """

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.answers: list[tuple[int, int]] = []
        self.batches: list[int] = []
        self.sizes: list[int] = []
        scheduler.answer_through(self._take)

    def _take(self, message: Any) -> None:
        client, outputs = message
        assert client == 0
        self.answers += unpack(outputs.utility_output.result.result)

    def tick(self, opened: list[int] = [], fed: list[int] = [], closed: list[int] = []) -> None:  # noqa: B006
        """New streams, one window for each of `fed`, and streams that are over."""
        window = np.zeros(1280, np.float32).tobytes()
        sizes = [part for number in fed for part in (number, len(window))]
        places = [part for number in opened for part in (number, 0)]
        self.scheduler.tick(0, PROMPT, places, sizes, window * len(fed), closed)

    def run(self, most: int = 1_000) -> int:
        """Steps until the core would go to sleep; how many there were."""
        from vllm.v1.outputs import ModelRunnerOutput

        for steps in range(most):
            if not self.scheduler.has_requests():
                return steps
            output = self.scheduler.schedule()
            names = list(output.num_scheduled_tokens)
            self.batches.append(len(names))
            self.sizes.append(len(pickle.dumps(output)))
            result = ModelRunnerOutput(
                req_ids=names,
                req_id_to_index={name: index for index, name in enumerate(names)},
                sampled_token_ids=[[TOKEN] for _ in names],
            )
            self.scheduler.update_from_output(output, result)
        raise AssertionError("the core never sleeps")


@pytest.fixture(scope="module")
def config() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_TARGET_DEVICE", "cpu")
        patch.setenv("HF_HUB_OFFLINE", "1")
        from vllm.engine.arg_utils import EngineArgs

        from voxtide_server.vllm_engine.engine import SCHEDULER

        yield EngineArgs(
            model=str(checkpoint.resolve("nano", None).folder),
            tokenizer_mode="mistral",
            config_format="mistral",
            load_format="mistral",
            max_model_len=512,
            max_num_seqs=PLACES,
            enforce_eager=True,
            enable_prefix_caching=False,
            scheduler_cls=SCHEDULER,
        ).create_engine_config()


@pytest.fixture
def engine(config: Any) -> Callable[[int], Engine]:
    """An engine with a KV cache of so many blocks."""

    def make(blocks: int) -> Engine:
        import torch
        from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheConfig, KVCacheGroupSpec
        from vllm.v1.structured_output import StructuredOutputManager

        from voxtide_server.vllm_engine.scheduler import StreamScheduler

        spec = FullAttentionSpec(block_size=BLOCK, num_kv_heads=1, head_size=8, dtype=torch.float32)
        # vLLM keeps one block for itself.
        cache = KVCacheConfig(blocks + 1, [], [KVCacheGroupSpec(["layer"], spec)])
        config.cache_config.num_gpu_blocks = blocks + 1
        structured = StructuredOutputManager(config)
        return Engine(StreamScheduler(config, cache, structured, block_size=BLOCK))

    return make


def test_a_stream_brings_a_token_for_each_window_and_waits_without_work(
    engine: Callable[[int], Engine],
) -> None:
    core = engine(100)
    core.tick(opened=[1], fed=[1])
    assert core.run() == 1
    core.tick(fed=[1, 1])
    assert core.run() == 2
    assert core.answers == [(1, TOKEN)] * 3
    core.tick(closed=[1])
    core.run()
    assert not core.scheduler.requests


def test_streams_with_audio_share_a_step(engine: Callable[[int], Engine]) -> None:
    core = engine(100)
    core.tick(opened=[1, 2], fed=[1, 2])
    core.run()
    core.tick(fed=[1, 2, 1])
    core.run()
    assert core.batches == [2, 2, 1]


def test_what_a_step_sends_to_the_worker_does_not_grow(engine: Callable[[int], Engine]) -> None:
    """Stock sends all features of a session with each frame (vLLM issue 58324)."""
    core = engine(100)
    core.tick(opened=[1], fed=[1])
    for _ in range(400):
        core.run()
        core.tick(fed=[1])
    core.run()
    assert max(core.sizes[300:]) < core.sizes[10] + 200


def test_the_core_sleeps_while_nobody_who_has_a_place_has_audio(
    engine: Callable[[int], Engine],
) -> None:
    core = engine(100)
    core.tick(opened=[1, 2], fed=[1, 2])
    core.run()
    core.tick(opened=[3], fed=[3])
    assert core.run() <= 1, "it looked once and found no place"
    core.tick(fed=[1])
    core.run()
    assert core.answers == [(1, TOKEN), (2, TOKEN), (1, TOKEN)]
    core.tick(closed=[2])
    core.run()
    assert core.answers[3:] == [(3, TOKEN)], "the place that is free now is taken at once"


def test_a_stream_that_finds_no_memory_is_given_up_and_the_others_go_on(
    engine: Callable[[int], Engine],
) -> None:
    """Stock would compute it again, from audio that is gone here."""
    core = engine(8)  # 128 tokens for two streams
    core.tick(opened=[1, 2], fed=[1, 2])
    for _ in range(60):
        core.run()
        core.tick(fed=[1, 2])
    core.run()
    assert core.answers.count((2, LOST)) == 1
    assert core.answers.count((1, TOKEN)) == 61
    before = core.answers.index((2, LOST))
    assert core.answers[:before] == [(1, TOKEN), (2, TOKEN)] * (before // 2)
    core.tick(opened=[3], fed=[3])
    core.run()
    assert core.answers[-1] != (3, TOKEN), "there is no memory for it yet"
    core.tick(closed=[1])
    core.run()
    assert core.answers[-1] == (3, TOKEN)


def test_a_stream_at_the_limit_of_the_model_is_lost_and_not_the_engine(
    engine: Callable[[int], Engine],
) -> None:
    core = engine(100)
    core.tick(opened=[1], fed=[1])
    for _ in range(500):
        core.run()
        core.tick(fed=[1])
    core.run()
    assert core.answers.count((1, TOKEN)) == 512 - len(PROMPT)
    assert core.answers[-1] == (1, LOST)
    assert not core.scheduler.requests


def test_a_stream_that_is_opened_and_closed_at_once_leaves_nothing(
    engine: Callable[[int], Engine],
) -> None:
    core = engine(100)
    core.tick(opened=[1], fed=[1], closed=[1])
    core.run()
    assert core.answers == []
    assert not core.scheduler.requests
    core.tick(fed=[1])  # what was on its way
    assert core.run() == 0
