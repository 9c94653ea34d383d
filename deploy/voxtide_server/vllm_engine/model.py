"""Two methods of vLLM's Voxtral Realtime model, mended.

`embed_input_ids`: stock returns the rows that have audio and no others, so that a
batch which also holds a text completion, or a transcription that decodes past its
audio, kills the engine for everybody ("The size of tensor a must match the size of
tensor b"; vLLM issue 34532 and pull request 34862 are about its relatives). Here
rows without audio are zero, as stock has them when no row of a batch has any.

`embed_multimodal`: stock computes the spectrogram and the convolutions of each frame
by itself, which took nearly half of the time of a step at 32 streams. Here windows of one
length, as all live frames are, go through both as one batch. (No public issue of vLLM's
is known to us.)
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from vllm.model_executor.models.voxtral_realtime import VoxtralRealtimeGeneration


def install() -> None:
    """Put both methods in the place of vLLM's."""
    for method in (embed_input_ids, embed_multimodal):
        setattr(VoxtralRealtimeGeneration, method.__name__, method)


def embed_input_ids(
    self: Any,
    input_ids: torch.Tensor,
    multimodal_embeddings: Any = None,
    *,
    is_multimodal: torch.Tensor | None = None,
) -> torch.Tensor:
    """Embeddings of the audio, shape (tokens, pool * width); zero where there is none."""
    rows = list(multimodal_embeddings) if multimodal_embeddings is not None else []
    present = torch.cat(rows) if rows else None
    if present is not None and len(present) == len(input_ids):
        return present
    audio = self.config.audio_config
    embedded = torch.zeros(
        len(input_ids),
        audio.d_model * audio.block_pool_size,
        dtype=self.whisper_encoder.dtype,
        device=input_ids.device,
    )
    if present is not None and is_multimodal is not None:
        embedded[is_multimodal.to(input_ids.device)] = present
    return embedded


def embed_multimodal(self: Any, **kwargs: object) -> list[torch.Tensor]:
    """Windows of samples to the encoder's input, shape (frames, pool * width) each."""
    windows: list[torch.Tensor] = self._parse_and_validate_audio_arrays(**kwargs) or []
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, window in enumerate(windows):
        by_length[len(window)].append(place)
    embedded: list[torch.Tensor] = [torch.empty(0)] * len(windows)
    for places in by_length.values():
        batch = _embed(self, torch.stack([windows[place] for place in places]))
        for place, row in zip(places, batch, strict=True):
            embedded[place] = row
    return embedded


def _embed(model: Any, windows: torch.Tensor) -> torch.Tensor:
    """Shape (windows, samples) to (windows, frames, pool * width), as stock does one."""
    encoder = model.whisper_encoder
    mel = encoder.compute_whisper_melspec(windows).to(encoder.dtype)
    mel = mel[..., mel.shape[-1] % 2 :]  # an odd number is cut on the left
    hidden = encoder.whisper_encoder.forward_conv([mel])
    pool = model.config.audio_config.block_pool_size
    hidden = hidden[:, hidden.shape[1] % pool :]
    embedded: torch.Tensor = hidden.reshape(len(windows), -1, pool * hidden.shape[-1])
    return embedded
