"""Streams in vLLM's worker: the audio of a step, used once and let go.

vLLM's model runner keeps the features of a request for as long as it lives, and the
output of the encoder until the scheduler says otherwise. For a stream it is given
just the features of the step at hand, and their embeddings go with the next step.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm.multimodal.inputs import (
    MultiModalBatchedField,
    MultiModalFeatureSpec,
    MultiModalFieldElem,
    MultiModalKwargsItem,
    PlaceholderRange,
)
from vllm.v1.worker.gpu_model_runner import GPUModelRunner

Heard = tuple[str, int, int, bytes]
"""A request's id, the first position that a window covers, the number of positions, and
the window's samples in the model's own type."""

HEARD = "voxtide_heard"
"""The attribute of a scheduler's output that holds a list of those."""


def install() -> None:
    """Teach vLLM's model runner (V1) to take the audio of streams from a step."""
    stock = GPUModelRunner._update_states

    def update_states(self: Any, scheduler_output: Any) -> Any:
        result = stock(self, scheduler_output)
        for name in self.__dict__.pop("voxtide_spent", ()):
            self.encoder_cache.pop(name, None)
        heard: list[Heard] = getattr(scheduler_output, HEARD, [])
        for name, start, count, window in heard:
            self.requests[name].mm_features = [
                _feature(name, start, count, window, self.model_config.dtype)
            ]
        if heard:
            self.voxtide_spent = [name for name, *_ in heard]
        return result

    setattr(GPUModelRunner, "_update_states", update_states)  # noqa: B010


def _feature(
    name: str, start: int, count: int, window: bytes, dtype: torch.dtype
) -> MultiModalFeatureSpec:
    # bytearray: torch warns of a buffer that it may not write to.
    samples = torch.frombuffer(bytearray(window), dtype=dtype)
    item = MultiModalKwargsItem(
        {"audio_arrays": MultiModalFieldElem(data=samples, field=MultiModalBatchedField())}
    )
    return MultiModalFeatureSpec(item, "audio", name, PlaceholderRange(start, count))
