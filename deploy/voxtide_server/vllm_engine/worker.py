"""Streams in vLLM's worker: the audio of a step, used once and let go.

vLLM's model runner keeps the features of a request for as long as it lives, and the
output of the encoder until the scheduler says otherwise. For a stream it is given
just the features of the step at hand, and their embeddings go with the next step.
"""

from __future__ import annotations

from collections.abc import Iterator
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

Place = tuple[str, int, int, int]
"""A request's id, the first position that a window covers, the number of positions, and
the number of the window's samples."""
SAMPLE_BYTES = 4

HEARD = "voxtide_heard"
"""The attribute of a scheduler's output with the audio of its step: a list of places, and
their samples one after the other, as float32."""


def install() -> None:
    """Teach vLLM's model runner (V1) to take the audio of streams from a step."""
    stock = GPUModelRunner._update_states

    def update_states(self: Any, scheduler_output: Any) -> Any:
        result = stock(self, scheduler_output)
        for name in self.__dict__.pop("voxtide_spent", ()):
            self.encoder_cache.pop(name, None)
        places, audio = getattr(scheduler_output, HEARD, ((), b""))
        if places:
            for feature in _features(places, audio, self.model_config.dtype):
                self.requests[feature.identifier].mm_features = [feature]
            self.voxtide_spent = [name for name, *_ in places]
        return result

    setattr(GPUModelRunner, "_update_states", update_states)  # noqa: B010


def _features(
    places: list[Place], audio: bytes, dtype: torch.dtype
) -> Iterator[MultiModalFeatureSpec]:
    # bytearray: torch warns of a buffer that it may not write to. Cast to the model's
    # type as stock's processor does: in float32 one token in 135 came out differently.
    samples = torch.frombuffer(bytearray(audio), dtype=torch.float32).to(dtype)
    windows = torch.split(samples, [size for *_, size in places])
    for (name, start, count, _), window in zip(places, windows, strict=True):
        element = MultiModalFieldElem(data=window, field=MultiModalBatchedField())
        item = MultiModalKwargsItem({"audio_arrays": element})
        yield MultiModalFeatureSpec(item, "audio", name, PlaceholderRange(start, count))
