"""Log-mel features exactly as the served model computes them."""

from functools import cache
from typing import Any, Final

import numpy as np
import torch
from mistral_common.audio import mel_filter_bank
from numpy.typing import NDArray
from torch import Tensor

SAMPLE_RATE: Final = 16000
SAMPLES_PER_TOKEN: Final = 1280
_WINDOW: Final = 400
_HOP: Final = 160
_MEL_BINS: Final = 128
_LOG_MEL_MAX: Final = 1.5
_DYNAMIC_RANGE: Final = 8.0


@cache
def _filters() -> Tensor:
    """Mel filters, shape (128, 201)."""
    bank = mel_filter_bank(
        num_frequency_bins=1 + _WINDOW // 2,
        num_mel_bins=_MEL_BINS,
        min_frequency=0.0,
        max_frequency=SAMPLE_RATE / 2,
        sampling_rate=SAMPLE_RATE,
    )
    return torch.from_numpy(np.asarray(bank, np.float32)).T.contiguous()


def log_mel_power(audio: NDArray[Any]) -> Tensor:
    """log10 of the mel powers, shape (128, samples / 160), not yet limited to a range."""
    # vLLM hands the samples over in bfloat16.
    samples = torch.from_numpy(np.asarray(audio, np.float32)).bfloat16().float()
    spectrum = torch.stft(
        samples, _WINDOW, _HOP, window=torch.hann_window(_WINDOW), return_complex=True
    )
    real, imaginary = torch.view_as_real(spectrum[:, :-1]).unbind(dim=-1)
    power = real.square() + imaginary.square()
    return (_filters() @ power).clamp(min=1e-10).log10()


def compressed(log_power: Tensor) -> Tensor:
    """The model's input: 8 decades below a fixed maximum, scaled to -0.625 ... 1.375."""
    return (log_power.clamp(min=_LOG_MEL_MAX - _DYNAMIC_RANGE) + 4.0) / 4.0


def log_mel(audio: NDArray[Any]) -> Tensor:
    """Features (128, samples / 160) of mono samples in -1 ... 1 at 16 kHz."""
    return compressed(log_mel_power(audio))
