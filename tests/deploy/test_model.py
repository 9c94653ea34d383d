"""The two methods of vLLM's model that voxtide replaces, on a model that does nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = [
    pytest.mark.integration,  # needs vLLM, though no server
    pytest.mark.filterwarnings("ignore"),  # what vLLM and torch warn of when imported
]

POOL = 4


class Model:
    """Embeds a sample as itself; `batches` are the windows of each pass."""

    def __init__(self) -> None:
        import torch

        self.batches: list[int] = []
        self.config = SimpleNamespace(audio_config=SimpleNamespace(block_pool_size=POOL, d_model=1))
        self.whisper_encoder = SimpleNamespace(
            dtype=torch.float32,
            compute_whisper_melspec=self._spectrogram,
            whisper_encoder=SimpleNamespace(forward_conv=self._convolve),
        )

    def _parse_and_validate_audio_arrays(self, audio_arrays: Any) -> Any:
        return audio_arrays

    def _spectrogram(self, windows: Any) -> Any:
        self.batches.append(len(windows))
        return windows[:, None, :]

    def _convolve(self, mels: Any) -> Any:
        (mel,) = mels
        return mel.transpose(1, 2)


def test_windows_of_one_length_go_through_as_one_batch() -> None:
    """Stock makes a pass for each, which was half of the time of a step."""
    import torch

    from voxtide_server.vllm_engine.model import embed_multimodal

    model = Model()
    windows = [torch.rand(size) for size in (8, 12, 8, 8, 13)]
    embedded = embed_multimodal(model, audio_arrays=windows)
    assert sorted(model.batches) == [1, 1, 3]
    for window, rows in zip(windows, embedded, strict=True):
        whole = window[len(window) % POOL :]
        assert torch.equal(rows, whole.reshape(-1, POOL))
    assert embed_multimodal(model, audio_arrays=None) == []


@pytest.mark.parametrize("audio", [[0, 1, 2], [1], []], ids=["all", "some", "none"])
def test_every_row_of_a_batch_has_an_embedding(audio: list[int]) -> None:
    """Stock has none for those without audio, and the engine dies."""
    import torch

    from voxtide_server.vllm_engine.model import embed_input_ids

    rows = [torch.full((1, POOL), float(place + 1)) for place in audio]
    mask = torch.tensor([place in audio for place in range(3)])
    embedded = embed_input_ids(Model(), torch.zeros(3, dtype=torch.long), rows, is_multimodal=mask)
    assert embedded.tolist() == [
        [place + 1.0 if place in audio else 0.0] * POOL for place in range(3)
    ]
