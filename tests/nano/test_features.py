"""Log-mel features equal those that vLLM computes."""

import numpy as np
import pytest
import torch

from nano.features import log_mel


def test_features_equal_vllms() -> None:
    voxtral = pytest.importorskip("vllm.model_executor.models.voxtral")
    from types import SimpleNamespace

    from mistral_common.audio import mel_filter_bank

    filters = mel_filter_bank(201, 128, 0.0, 8000.0, 16000)
    encoder = SimpleNamespace(
        config=SimpleNamespace(window_size=400, hop_length=160, global_log_mel_max=1.5),
        mel_filters=torch.tensor(filters, dtype=torch.float32),
    )
    audio = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    expected = voxtral.VoxtralEncoderModel.compute_whisper_melspec(
        encoder, torch.from_numpy(audio).bfloat16().float()
    )
    assert torch.allclose(log_mel(audio), expected, atol=1e-4)


def test_silence_is_the_floor_and_a_frame_is_ten_milliseconds() -> None:
    mel = log_mel(np.zeros(16000, np.float32))
    assert mel.shape == (128, 100)
    assert torch.all(mel == -0.625)
