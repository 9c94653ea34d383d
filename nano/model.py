"""Voxtral Realtime in PyTorch, small, for training and for checking the served model.

The mathematics are those of vLLM's ``VoxtralRealtimeGeneration`` and of transformers'
``VoxtralRealtimeForConditionalGeneration``; parameter names are chosen so that ``nano.export`` is a
renaming. Attention is computed in blocks of one window, because a full masked matrix would cost
more than all the rest of the encoder.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nano.vocabulary import PHONES, VOCAB_SIZE

MEL_FRAMES_PER_TOKEN = 8
ENCODER_FRAMES_PER_TOKEN = 4


@dataclass(frozen=True)
class Config:
    """Sizes of the model. A window counts positions, the present one included."""

    mel_bins: int = 128
    encoder_dim: int = 128
    encoder_layers: int = 4
    encoder_heads: int = 2
    encoder_ff: int = 384
    encoder_window: int = 64
    decoder_dim: int = 192
    decoder_layers: int = 4
    decoder_heads: int = 3
    decoder_kv_heads: int = 1
    decoder_ff: int = 448
    decoder_window: int = 64
    head_dim: int = 64
    ada_dim: int = 32
    vocab_size: int = VOCAB_SIZE
    rope_theta: float = 1e6
    norm_eps: float = 1e-5


def rope_table(length: int, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines for interleaved pairs, each of shape (length, head_dim / 2)."""
    rates = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * rates
    return angles.cos().float(), angles.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate ``x`` (batch, time, heads, head_dim), whose even dimensions come before the odd."""
    even, odd = x.chunk(2, dim=-1)
    cos, sin = cos[:, None].to(x.dtype), sin[:, None].to(x.dtype)
    return torch.cat((even * cos - odd * sin, even * sin + odd * cos), dim=-1)


def window_bias(window: int) -> Tensor:
    """Additive mask (2, window, 2 * window) of a query block over its own and the previous block.

    Row 0 is for a stream's first block, whose previous block is padding.
    """
    query = torch.arange(window)[:, None] + window
    key = torch.arange(2 * window)[None, :]
    allowed = (key <= query) & (query - key < window)
    first = allowed & (key >= window)
    return torch.where(torch.stack((first, allowed)), 0.0, -math.inf)


class Attention(nn.Module):
    """Causal attention over a sliding window, with grouped key-value heads."""

    def __init__(
        self, dim: int, heads: int, kv_heads: int, head_dim: int, window: int, bias: bool
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim, self.window = heads, kv_heads, head_dim, window
        self.wq = nn.Linear(dim, heads * head_dim, bias=bias)
        self.wk = nn.Linear(dim, kv_heads * head_dim, bias=False)
        self.wv = nn.Linear(dim, kv_heads * head_dim, bias=bias)
        self.wo = nn.Linear(heads * head_dim, dim, bias=bias)
        self.bias: Tensor
        self.register_buffer("bias", window_bias(window), persistent=False)
        # The checkpoint rotates neighbouring pairs. Sorting the dimensions of a head, even ones
        # first, leaves its scores as they are and makes the rotation work on contiguous halves.
        self.even_first: Tensor
        order = torch.arange(head_dim).view(-1, 2).t().flatten()
        self.register_buffer("even_first", order, persistent=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Attend within ``x`` (batch, time, dim); time is a multiple of the window."""
        batch, time, _ = x.shape
        blocks = time // self.window
        q = rotate(self.project(self.wq, x, self.heads), cos, sin)
        k = rotate(self.project(self.wk, x, self.kv_heads), cos, sin)
        v = self.wv(x).view(batch, time, self.kv_heads, -1)
        q = q.view(batch, blocks, self.window, self.heads, -1).transpose(2, 3)
        k, v = self._with_previous(k), self._with_previous(v)
        scores = (q * self.head_dim**-0.5) @ k.transpose(-1, -2)
        bias = torch.cat((self.bias[:1], self.bias[1:].expand(blocks - 1, -1, -1)))
        weights = (scores + bias[:, None]).softmax(dim=-1).to(v.dtype)
        out = (weights @ v).transpose(2, 3).reshape(batch, time, -1)
        result: Tensor = self.wo(out)
        return result

    def project(self, linear: nn.Linear, x: Tensor, heads: int) -> Tensor:
        """Queries or keys (batch, time, heads, head_dim), dimensions in the order of ``rotate``."""
        offsets = torch.arange(heads, device=x.device)[:, None] * self.head_dim
        rows = (offsets + self.even_first).flatten()
        bias = None if linear.bias is None else linear.bias[rows]
        return functional.linear(x, linear.weight[rows], bias).view(
            *x.shape[:2], heads, self.head_dim
        )

    def _with_previous(self, x: Tensor) -> Tensor:
        """Blocks (batch, blocks, kv_heads, 2 * window, head_dim), each led by the one before."""
        batch, time = x.shape[:2]
        blocks = x.view(batch, time // self.window, self.window, self.kv_heads, self.head_dim)
        previous = functional.pad(blocks, (0, 0, 0, 0, 0, 0, 1, 0))[:, :-1]
        return torch.cat((previous, blocks), dim=2).transpose(2, 3)


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, dim: int, hidden: int, bias: bool) -> None:
        super().__init__()
        self.w1 = nn.Linear(dim, hidden, bias=False)
        self.w2 = nn.Linear(hidden, dim, bias=bias)
        self.w3 = nn.Linear(dim, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.w2(functional.silu(self.w1(x)) * self.w3(x))
        return result


class EncoderLayer(nn.Module):
    def __init__(self, c: Config) -> None:
        super().__init__()
        self.attention = Attention(
            c.encoder_dim, c.encoder_heads, c.encoder_heads, c.head_dim, c.encoder_window, True
        )
        self.attention_norm = nn.RMSNorm(c.encoder_dim, c.norm_eps)
        self.feed_forward = FeedForward(c.encoder_dim, c.encoder_ff, True)
        self.ffn_norm = nn.RMSNorm(c.encoder_dim, c.norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cos, sin)
        result: Tensor = x + self.feed_forward(self.ffn_norm(x))
        return result


class DecoderLayer(nn.Module):
    """A Mistral layer whose feed-forward input is scaled by the delay's condition."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.attention = Attention(
            c.decoder_dim, c.decoder_heads, c.decoder_kv_heads, c.head_dim, c.decoder_window, False
        )
        self.attention_norm = nn.RMSNorm(c.decoder_dim, c.norm_eps)
        self.feed_forward = FeedForward(c.decoder_dim, c.decoder_ff, False)
        self.ffn_norm = nn.RMSNorm(c.decoder_dim, c.norm_eps)
        self.ada_rms_norm_t_cond = nn.Sequential(
            nn.Linear(c.decoder_dim, c.ada_dim, bias=False),
            nn.GELU(),
            nn.Linear(c.ada_dim, c.decoder_dim, bias=False),
        )

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, delay: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cos, sin)
        scale = 1 + self.ada_rms_norm_t_cond(delay)[:, None]
        result: Tensor = x + self.feed_forward(self.ffn_norm(x) * scale)
        return result


def delay_embedding(delay_tokens: Tensor, dim: int) -> Tensor:
    """Sinusoidal condition (batch, dim) of the transcription delay, counted in 80 ms tokens."""
    rates = torch.exp(-math.log(10000.0) * torch.arange(dim // 2).float() / (dim // 2))
    angles = delay_tokens.float()[:, None] * rates
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


class NanoModel(nn.Module):
    """Log-mel frames and text tokens in, scores of the next text token out."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = c = config or Config()
        self.conv1 = nn.Conv1d(c.mel_bins, c.encoder_dim, 3)
        self.conv2 = nn.Conv1d(c.encoder_dim, c.encoder_dim, 3, stride=2)
        self.encoder = nn.ModuleList(EncoderLayer(c) for _ in range(c.encoder_layers))
        self.encoder_norm = nn.RMSNorm(c.encoder_dim, c.norm_eps)
        self.adapter = nn.Sequential(
            nn.Linear(ENCODER_FRAMES_PER_TOKEN * c.encoder_dim, c.decoder_dim, bias=False),
            nn.GELU(),
            nn.Linear(c.decoder_dim, c.decoder_dim, bias=False),
        )
        self.tok_embeddings = nn.Embedding(c.vocab_size, c.decoder_dim)
        self.decoder = nn.ModuleList(DecoderLayer(c) for _ in range(c.decoder_layers))
        self.norm = nn.RMSNorm(c.decoder_dim, c.norm_eps)
        # Auxiliary: which phone sounds in each 20 ms encoder frame. Dropped at export.
        self.phone_head = nn.Linear(c.encoder_dim, len(PHONES))
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for layer in (*self.encoder, *self.decoder):
            nn.init.zeros_(layer.attention.wo.weight)
            nn.init.zeros_(layer.feed_forward.w2.weight)
        nn.init.normal_(self.tok_embeddings.weight, std=self.config.decoder_dim**-0.5)

    def convolve(self, mel: Tensor) -> Tensor:
        """Encoder input (batch, 4 * tokens, dim) of ``mel`` (batch, mel_bins, 8 * tokens)."""
        x = functional.gelu(self.conv1(functional.pad(mel, (2, 0))))
        return functional.gelu(self.conv2(functional.pad(x, (1, 0)))).transpose(1, 2)

    def encode(self, x: Tensor) -> Tensor:
        """Encoder output (batch, 4 * tokens, encoder_dim) of ``convolve``'s result."""
        c = self.config
        cos, sin = rope_table(x.shape[1], c.head_dim, c.rope_theta)
        for layer in self.encoder:
            x = layer(x, cos, sin)
        result: Tensor = self.encoder_norm(x)
        return result

    def decode(self, encoded: Tensor, text: Tensor, delay_tokens: Tensor) -> Tensor:
        """Scores (batch, tokens, vocab_size); ``text`` is (batch, tokens), the delay (batch,)."""
        c = self.config
        x = self.adapter(encoded.reshape(*text.shape, -1)) + self.tok_embeddings(text)
        delay = delay_embedding(delay_tokens, c.decoder_dim)
        cos, sin = rope_table(x.shape[1], c.head_dim, c.rope_theta)
        for layer in self.decoder:
            x = layer(x, cos, sin, delay)
        return functional.linear(self.norm(x), self.tok_embeddings.weight)

    def forward(
        self, mel: Tensor, text: Tensor, delay_tokens: Tensor, audio_present: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Token scores and phone scores (batch, 4 * tokens, phones).

        ``audio_present`` (batch, tokens) is 0 where vLLM has no audio any more: past the end of an
        offline clip it feeds zeros in place of the convolutions' output.
        """
        x = self.convolve(mel)
        x = x * audio_present.repeat_interleave(ENCODER_FRAMES_PER_TOKEN, dim=1)[..., None]
        encoded = self.encode(x)
        return self.decode(encoded, text, delay_tokens), self.phone_head(encoded)
