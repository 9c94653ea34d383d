"""Greedy streaming decoding in PyTorch, the same arithmetic as serving: one token per 80 ms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nano.clips import LEFT_PAD, RIGHT_PAD_BEYOND_DELAY
from nano.features import SAMPLES_PER_TOKEN, log_mel
from nano.labels import TOKEN_S
from nano.model import (
    ENCODER_FRAMES_PER_TOKEN,
    DecoderLayer,
    NanoModel,
    delay_embedding,
    rope_table,
    rotate,
)
from nano.vocabulary import BOS, PAD, TOKEN_WORD, WORD_START


@dataclass(frozen=True)
class Word:
    """A recognised word and its end in seconds."""

    word: str
    end: float


def words_of(generated: Sequence[int]) -> list[Word]:
    """Words in a stream's generated tokens; a word ends in the middle of its marker's frame."""
    found: list[Word] = []
    marked = 0
    for place, token in enumerate(generated):
        if token == WORD_START:
            marked = place
        elif token in TOKEN_WORD:
            found.append(Word(TOKEN_WORD[token], (marked + 0.5) * TOKEN_S))
    return found


def padded_stream(audio: NDArray[Any], delay: int) -> NDArray[np.float32]:
    """``audio`` with the silence that the server puts before and after it, in whole tokens."""
    tail = -len(audio) % SAMPLES_PER_TOKEN
    tail += (delay + RIGHT_PAD_BEYOND_DELAY) * SAMPLES_PER_TOKEN
    return np.pad(np.asarray(audio, np.float32), (LEFT_PAD * SAMPLES_PER_TOKEN, tail))


class _Cache:
    """Keys and values of the last positions of one decoder layer, for streams in step."""

    def __init__(self, layer: DecoderLayer, streams: int) -> None:
        attention = layer.attention
        shape = (streams, attention.kv_heads, attention.window, attention.head_dim)
        self.keys, self.values = torch.zeros(shape), torch.zeros(shape)

    def step(self, layer: DecoderLayer, x: Tensor, cos: Tensor, sin: Tensor, seen: int) -> Tensor:
        """Attention's output (streams, dim) for inputs ``x`` at the position after ``seen``."""
        attention = layer.attention
        x = x[:, None]
        q = rotate(attention.project(attention.wq, x, attention.heads), cos, sin).transpose(1, 2)
        k = rotate(attention.project(attention.wk, x, attention.kv_heads), cos, sin)
        v = attention.wv(x).view(len(x), 1, attention.kv_heads, -1)
        slot = seen % attention.window
        self.keys[:, :, slot], self.values[:, :, slot] = k[:, 0], v[:, 0]
        used = min(seen + 1, attention.window)
        out = functional.scaled_dot_product_attention(
            q, self.keys[:, :, :used], self.values[:, :, :used], enable_gqa=True
        )
        result: Tensor = attention.wo(out.transpose(1, 2).flatten(1))
        return result


@torch.inference_mode()
def greedy(model: NanoModel, audios: Sequence[NDArray[Any]], delay: int) -> list[list[int]]:
    """Generated tokens of each stream of 16 kHz samples at a delay in tokens.

    All streams run to the end of the longest one; each result has its own stream's length.
    """
    config = model.config
    streams = [padded_stream(audio, delay) for audio in audios]
    lengths = [len(stream) // SAMPLES_PER_TOKEN for stream in streams]
    # Blocks of attention want a multiple of the encoder's window.
    unit = config.encoder_window // ENCODER_FRAMES_PER_TOKEN
    total = -(-max(lengths) // unit) * unit
    adapted = []
    for stream in streams:
        whole = np.pad(stream, (0, total * SAMPLES_PER_TOKEN - len(stream)))
        encoded = model.encode(model.convolve(log_mel(whole)[None]))
        adapted.append(model.adapter(encoded.reshape(1, total, -1))[0])
    audio_part = torch.stack(adapted)
    prompt = 1 + LEFT_PAD + delay
    condition = delay_embedding(torch.full((len(streams),), delay), config.decoder_dim)
    cos, sin = rope_table(total, config.head_dim, config.rope_theta)
    layers = [layer for layer in model.decoder if isinstance(layer, DecoderLayer)]
    caches = [_Cache(layer, len(streams)) for layer in layers]
    token = torch.full((len(streams),), BOS)
    generated: list[Tensor] = []
    for place in range(max(lengths)):
        x = audio_part[:, place] + model.tok_embeddings(token)
        row = (cos[place : place + 1], sin[place : place + 1])
        for layer, cache in zip(layers, caches, strict=True):
            x = x + cache.step(layer, layer.attention_norm(x), *row, place)
            x = x + layer.feed_forward(
                layer.ffn_norm(x) * (1 + layer.ada_rms_norm_t_cond(condition))
            )
        if place < prompt - 1:
            token = torch.full_like(token, PAD)
        else:
            token = functional.linear(model.norm(x), model.tok_embeddings.weight).argmax(dim=-1)
            generated.append(token)
    table = torch.stack(generated, dim=1).tolist()
    return [row[: length - prompt + 1] for row, length in zip(table, lengths, strict=True)]


def decode_all(
    model: NanoModel, audios: Sequence[NDArray[np.int16]], delay: int
) -> list[list[Word]]:
    """The words of each audio at a delay in tokens, in batches of about equal length."""
    order = sorted(range(len(audios)), key=lambda place: len(audios[place]))
    found: list[list[Word]] = [[] for _ in audios]
    for first in range(0, len(order), 32):
        places = order[first : first + 32]
        floats = [audios[place].astype(np.float32) / 32768 for place in places]
        for place, tokens in zip(places, greedy(model, floats, delay), strict=True):
            found[place] = words_of(tokens)
    return found
