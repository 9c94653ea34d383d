"""What the adapter sends equals what stock vLLM's endpoint sends."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from voxtide_server import checkpoint
from voxtide_server.errors import VoxtideError

pytestmark = [
    pytest.mark.integration,  # needs vLLM, though no server
    pytest.mark.filterwarnings("ignore"),  # what vLLM and torch warn of when imported
]


@pytest.fixture(scope="module")
def model_config() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_TARGET_DEVICE", "cpu")
        patch.setenv("HF_HUB_OFFLINE", "1")
        from vllm.config import ModelConfig

        folder: Path = checkpoint.resolve("nano", None).folder
        yield ModelConfig(
            model=str(folder),
            tokenizer_mode="mistral",
            config_format="mistral",
            max_model_len=1024,
        )


def test_the_engine_core_is_a_copy_of_the_api_server_and_the_worker_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker has to read anew how many threads it gets."""
    from vllm.v1.engine import utils
    from vllm.v1.executor import multiproc_executor

    from voxtide_server.vllm_engine import patches

    monkeypatch.setenv("VLLM_WORKER_MULTIPROC_METHOD", "spawn")  # as vLLM does on CPU
    monkeypatch.setattr(utils, "get_mp_context", utils.get_mp_context)
    patches.fork_engine_core()
    assert utils.get_mp_context().get_start_method() == "fork"
    assert multiproc_executor.get_mp_context().get_start_method() == "spawn"


def test_engine_core_and_worker_nap_instead_of_spinning(monkeypatch: pytest.MonkeyPatch) -> None:
    from vllm.distributed.device_communicators import shm_broadcast

    from voxtide_server.vllm_engine import patches

    naps: list[float] = []
    monkeypatch.setattr(shm_broadcast, "sched_yield", shm_broadcast.sched_yield)
    patches.wait_asleep()
    monkeypatch.setattr(patches.time, "sleep", naps.append)
    reader = object.__new__(shm_broadcast.SpinCondition)
    reader.is_reader, reader.last_read, reader.busy_loop_s = True, time.monotonic(), 60.0
    reader.wait()  # as between two messages
    assert len(naps) == 1
    assert 0 < naps[0] < 0.01


def test_a_layer_keeps_few_primitives(monkeypatch: pytest.MonkeyPatch) -> None:
    """vLLM's 32 of each layer were 0.3 to 0.6 MB each, by a heap profile of the worker."""
    import torch
    from vllm import _custom_ops
    from vllm.model_executor.layers import utils

    from voxtide_server.vllm_engine import patches

    sizes: list[int] = []
    monkeypatch.setattr(_custom_ops, "_supports_onednn", True)
    monkeypatch.setattr(_custom_ops, "create_onednn_mm", lambda _, size: sizes.append(size))
    monkeypatch.setattr(utils, "check_cpu_sgl_kernel", lambda *_: False)  # would be: with AMX
    utils.dispatch_cpu_unquantized_gemm(torch.nn.Linear(4, 3), remove_weight=True)
    patches.keep_few_primitives()
    utils.dispatch_cpu_unquantized_gemm(torch.nn.Linear(4, 3), remove_weight=True)
    assert sizes == [32, 4]


class Nobody:
    """A listener that hears nothing."""

    def token(self, token: int, logprob: float | None = None) -> None:
        raise AssertionError

    def lost(self, error: VoxtideError) -> None:
        raise AssertionError


def vllm_config(**changes: Any) -> Any:
    """What of vLLM's configuration decides which way streams take."""
    given = {
        "scheduler_cls": "vllm.v1.core.sched.scheduler.Scheduler",
        "use_v2_model_runner": False,
        "async_scheduling": False,
        "enable_prefix_caching": False,
        "data_parallel_size": 1,
        "pipeline_parallel_size": 1,
        "speculative_config": None,
        "max_num_seqs": 4,
        "kv_cache_size_tokens": None,
        "_api_process_count": 1,
        **changes,
    }
    everything = SimpleNamespace(**given)
    return SimpleNamespace(
        scheduler_config=everything,
        cache_config=everything,
        parallel_config=everything,
        **given,
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("scheduler_cls", None),
        ("use_v2_model_runner", True),
        ("async_scheduling", True),
        ("enable_prefix_caching", True),
        ("data_parallel_size", 2),
        ("pipeline_parallel_size", 2),
        ("speculative_config", object()),
    ],
)
def test_streams_take_vllms_own_way_where_the_other_is_not_proved(
    setting: str, value: object
) -> None:
    from voxtide_server.vllm_engine.engine import SCHEDULER, why_not_decode

    proved = {"scheduler_cls": SCHEDULER}
    assert why_not_decode(vllm_config(**proved)) is None
    assert why_not_decode(vllm_config(**{**proved, setting: value})) is not None


@pytest.mark.parametrize(
    ("tokens", "api_servers", "places"),
    [(None, 1, 40), (100_000, 1, 40), (10_000, 1, 12), (1, 4, 1)],
)
def test_the_kv_cache_bounds_the_places(
    model_config: Any, tokens: int | None, api_servers: int, places: int
) -> None:
    from voxtide_server.vllm_engine.engine import VllmEngine

    config = vllm_config(
        max_num_seqs=40, kv_cache_size_tokens=tokens, _api_process_count=api_servers
    )
    client: Any = SimpleNamespace(model_config=model_config, vllm_config=config)
    engine = VllmEngine(client, ("nano",), None)
    assert engine.layout.oldest == 817  # 32 + 3 x 256 + 17
    assert engine.places == places


@pytest.mark.parametrize(
    ("plugins", "version", "said"),
    [("voxtide", "0.99.0", "the cost of a frame grows"), ("another", "0.32.0", "")],
)
def test_vllm_stays_as_it_is_where_nobody_asked_or_the_version_is_unknown(
    plugins: str,
    version: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from vllm.v1.engine.core import EngineCore
    from vllm.v1.worker.gpu_model_runner import GPUModelRunner

    from voxtide_server import versions
    from voxtide_server.vllm_engine import patches

    monkeypatch.setenv("VLLM_PLUGINS", plugins)
    monkeypatch.setattr(versions, "installed", lambda: version)
    monkeypatch.setattr(logging.getLogger("vllm"), "propagate", True)
    stock = GPUModelRunner._update_states
    patches.install()
    assert GPUModelRunner._update_states is stock
    assert not hasattr(EngineCore, "voxtide_tick")
    assert said in caplog.text
    assert len({id(record) for record in caplog.records}) == bool(said)


async def test_an_update_equals_the_generic_processors(model_config: Any) -> None:
    from vllm.multimodal import MULTIMODAL_REGISTRY

    from voxtide_server.vllm_engine.engine import VllmEngine

    client: Any = SimpleNamespace(model_config=model_config, vllm_config=vllm_config())
    engine = VllmEngine(client, ("nano",), None)
    layout = engine.layout
    assert (layout.prompt, layout.delay, layout.right_pad) == (39, 6, 17)
    stream: Any = engine.open("a-stream", Nobody())
    processor = MULTIMODAL_REGISTRY.create_processor(model_config)
    random = np.random.default_rng(3)
    sizes = [39 * 1280 + layout.look_ahead, layout.look_back + 1280 + layout.look_ahead]
    for tokens, size in zip((39, 1), sizes, strict=True):
        window = random.normal(0, 0.1, size).astype(np.float32)
        prompt = list(range(100, 100 + tokens))
        ours = stream._input(prompt, window)
        items = processor.info.parse_mm_data({"audio": (window, None)})
        theirs = processor(prompt, items, hf_processor_mm_kwargs={})
        assert ours["prompt_token_ids"] == theirs["prompt_token_ids"]
        # Stock counts the look-back as a frame too; the embedding has the exact length.
        assert [(p.offset, p.length) for p in ours["mm_placeholders"]["audio"]] == [(0, tokens)]
        (our_item,), (their_item,) = ours["mm_kwargs"]["audio"], theirs["mm_kwargs"]["audio"]
        assert our_item.keys() == their_item.keys()
        assert our_item["audio_arrays"] == their_item["audio_arrays"]
        assert our_item["audio_arrays"].data.dtype == their_item["audio_arrays"].data.dtype
    stream.close()
