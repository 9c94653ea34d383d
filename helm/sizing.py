"""How many live streams a GPU carries: computed from the model's sizes.

    python -m helm.sizing

prints the table of docs/kubernetes.md. Two things bound the number:

KV cache. vLLM 0.32 keeps it in blocks of one size for all layers, which decoder and
encoder share (v1/core/kv_cache_utils.py), and counts for a stream what one of full length
may hold at most: the window, and for the encoder's short window all tokens that may be
in flight, --max-num-batched-tokens for each batch that is (v1/kv_cache_interface.py,
SlidingWindowSpec). voxtide lets in as many streams as that count has room for, each as old
as it may get, and --max-num-seqs at the most (voxtide_server/vllm_engine/engine.py).

Step time. At a few dozen streams a step reads all weights once, and of each stream the KV
cache: bytes over what a GPU reaches of its memory bandwidth. `REACHED` is what the two
published times of one stream come to: H200, 201 frames/s (vLLM PR 51167), is 0.37; RTX 3090,
23.8 ms (vLLM issue 58324), is 0.40. To it comes what a step does one after the other on the
CPU, `OVERHEAD_MS`, which is what our own run adds to the bytes at 32 streams: on an H200,
with weights made up by chance, 1, 8 and 32 live streams took 15.9, 15.9 and 20.6 ms a step
(docs/benchmarks.md), where this says 13.4, 15.1 and 20.6. Beyond 32 nothing was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voxtide_server import profiles

GIB = 1 << 30
FRAME_S = 0.08
"""Seconds of audio that one token hears."""
SHARE = 0.7
"""Of a frame's time that streams may take, as in voxtide_server/capacity.py."""
REACHED = 0.4
"""Of a GPU's memory bandwidth."""
OVERHEAD_MS = 8.6
"""Of a step, whatever is in it: scheduling, spectrograms, sampling."""
WORKING_GIB = 3.0
"""Of a GPU's memory for activations and CUDA graphs: assumed, as in the profiles."""
UTILIZATION = 0.9
"""vLLM's --gpu-memory-utilization."""
BATCHES = 1
"""In flight at once: the profiles have vLLM schedule synchronously."""
FEW_TOKENS = 512
"""--max-num-batched-tokens of the profiles."""
_HALF = 2  # bytes of bfloat16


@dataclass(frozen=True)
class Attention:
    """The KV cache of one kind of layer.

    Args:
        layers: how many.
        heads: KV heads of each.
        size: of a head.
        window: in positions.
        positions: for each token; 4 in the encoder.
    """

    layers: int
    heads: int
    size: int
    window: int
    positions: int = 1

    @property
    def token_bytes(self) -> int:
        """Bytes of a token in one layer: keys and values."""
        return 2 * self.heads * self.size * self.positions * _HALF

    def held(self, block: int, in_flight: int, longest: int) -> int:
        """Blocks of a stream at the most, as vLLM counts them.

        Args:
            block: tokens in one.
            in_flight: tokens that are scheduled and not yet settled.
            longest: tokens of the longest stream.
        """
        window = self.window if self.positions == 1 else _ceil(self.window, self.positions) + 1
        return _ceil(min(window - 1 + in_flight, longest), block) + 1

    def read(self, age: int) -> int:
        """Bytes that a step reads for a stream of an age in tokens."""
        return self.layers * self.token_bytes * min(age, _ceil(self.window, self.positions))


@dataclass(frozen=True)
class Model:
    """A model's decoder and encoder, whose numbers of layers differ by less than a half.

    Args:
        weights: parameters.
    """

    decoder: Attention
    encoder: Attention
    weights: float

    @classmethod
    def of(cls, params: Mapping[str, Any], weights: float) -> Model:
        """From a checkpoint's params.json."""
        whisper = params["multimodal"]["whisper_model_args"]
        factor = whisper["downsample_args"]["downsample_factor"]
        return cls(_attention(params, 1), _attention(whisper["encoder_args"], factor), weights)

    def tokens(self, bytes_: float, block: int, in_flight: int, longest: int) -> int:
        """What vLLM calls the size of a KV cache, in tokens.

        Args:
            bytes_: of the cache.
            block: tokens in a block; 16 on a GPU, 128 on the CPU.
            in_flight: tokens that are scheduled and not yet settled.
            longest: --max-model-len.
        """
        page = block * max(self.decoder.token_bytes, self.encoder.token_bytes)
        blocks = int(bytes_) // (page * max(self.decoder.layers, self.encoder.layers))
        stream = sum(
            kind.held(page // kind.token_bytes, in_flight, longest)
            for kind in (self.decoder, self.encoder)
        )
        return int(blocks / stream * longest)


VOXTRAL = Model(Attention(26, 8, 128, 8192), Attention(32, 32, 64, 750, 4), 4.43e9)
"""Voxtral-Mini-4B-Realtime-2602, from its params.json."""
OLDEST = 32 + 3 * 1500 + 17
"""Tokens of the oldest stream: padding, three times two minutes until it is renewed, padding
(voxtide_server/engine.py; a delay of 480 ms, streams as decode requests)."""


@dataclass(frozen=True)
class GPU:
    """A card.

    Args:
        gib: memory as nvidia-smi shows it.
        gb_s: memory bandwidth from its data sheet, GB/s.
        profile: of voxtide, whose flags win.
        weight: bytes of a parameter; 1 with --quantization fp8.
    """

    name: str
    gib: float
    gb_s: float
    profile: str
    weight: int = 2

    @property
    def kv_gib(self) -> float:
        """What is left for the KV cache."""
        return self.gib * UTILIZATION - self._weights / GIB - WORKING_GIB

    def in_cache(self, batched: int) -> int:
        """Streams for which the KV cache has room.

        Args:
            batched: --max-num-batched-tokens.
        """
        longest = self._flags["max-model-len"]
        return VOXTRAL.tokens(self.kv_gib * GIB, 16, BATCHES * batched, longest) // OLDEST

    @property
    def let_in(self) -> int:
        """Streams for which a server with the profile's flags has room; then it measures itself."""
        batched = self._flags["max-num-batched-tokens"]
        return int(min(self._flags["max-num-seqs"], self.in_cache(batched)))

    def step_ms(self, streams: int, age: int = OLDEST) -> float:
        """Time of a step.

        Args:
            streams: in it.
            age: of each, in tokens.
        """
        stream = VOXTRAL.decoder.read(age) + VOXTRAL.encoder.read(age)
        bytes_ = self._weights + streams * stream
        return OVERHEAD_MS + bytes_ / (REACHED * self.gb_s * 1e9) * 1e3

    @property
    def in_time(self) -> int:
        """Streams with which a step takes no more than its share of a frame; 0 if none."""
        left_ms = SHARE * FRAME_S * 1e3 - self.step_ms(0)
        return max(0, int(left_ms / (self.step_ms(1) - self.step_ms(0))))

    @property
    def _flags(self) -> dict[str, Any]:
        return profiles.load(self.profile).flags

    @property
    def _weights(self) -> float:
        return VOXTRAL.weights * self.weight


# Memory: MiB of nvidia-smi. Bandwidth: NVIDIA's data sheets.
GPUS = (
    GPU("L4, weights in fp8", 23034 / 1024, 300, "l4", 1),
    GPU("L4", 23034 / 1024, 300, "l4"),
    GPU("RTX 4090", 24564 / 1024, 1008, "gpu"),
    GPU("L40S", 46068 / 1024, 864, "l40s"),
    GPU("A100 80GB SXM", 81920 / 1024, 2039, "a100"),
    GPU("H100 SXM", 81559 / 1024, 3350, "h100"),
    GPU("H200", 143771 / 1024, 4800, "h100"),
)

_HEAD = (
    "| GPU | profile | lets in | KV cache, GiB | streams in it "
    "| one stream's step, ms | streams in time | carries |\n|---|---|---|---|---|---|---|---|\n"
)


def table() -> str:
    """The table in Markdown."""
    return _HEAD + "".join(f"| {' | '.join(_row(gpu))} |\n" for gpu in GPUS)


def _row(gpu: GPU) -> Iterator[str]:
    cache, steps = gpu.in_cache(FEW_TOKENS), gpu.in_time
    yield from (gpu.name, f"`{gpu.profile}`", f"{gpu.let_in}", f"{gpu.kv_gib:.0f}", f"{cache}")
    yield from (f"{gpu.step_ms(1):.0f}", f"{steps}")
    yield f"**{min(cache, steps)}**, {'cache' if cache < steps else 'step'}"


def _attention(args: Mapping[str, Any], positions: int) -> Attention:
    layers, heads, size = args["n_layers"], args["n_kv_heads"], args["head_dim"]
    return Attention(layers, heads, size, args["sliding_window"], positions)


def _ceil(whole: int, part: int) -> int:
    return math.ceil(whole / part)


if __name__ == "__main__":
    print(table(), end="")
