"""vLLM as voxtide's engine: the model's layout, its tokens, and the way of its streams."""

from __future__ import annotations

import logging
from typing import Any

from vllm.engine.protocol import EngineClient
from vllm.tokenizers import cached_tokenizer_from_config

from ..engine import EngineStream, Listener, StreamLayout
from .decode import DecodeStreams
from .resumable import ResumableStream

logger = logging.getLogger("vllm.voxtide")

SCHEDULER = "voxtide_server.vllm_engine.scheduler.StreamScheduler"
"""For vLLM's flag --scheduler-cls."""

RENEW_AFTER = 1500
"""Frames after which a decode request is renewed: 2 min. Its cost is flat but for a copy of
its tokens each time that it comes back into vLLM's batch."""
RENEW_RESUMABLE_AFTER = 750
"""The same for a resumable request, the cost of which grows with each frame: 1 min."""


class TekkenVocabulary:
    """The model's tokens, from its tekken.json."""

    def __init__(self, tokenizer: Any) -> None:
        self._tekken = tokenizer.instruct.tokenizer
        self.blank: int = self._tekken.get_special_token("[STREAMING_PAD]")
        self.word: int = self._tekken.get_special_token("[STREAMING_WORD]")
        self._pieces: dict[int, bytes] = {}

    def piece(self, token: int) -> bytes:
        """UTF-8 bytes of a token; empty for a control token."""
        piece = self._pieces.get(token)
        if piece is None:
            control = self._tekken.is_special(token)
            piece = b"" if control else self._tekken.id_to_byte_piece(token)
            self._pieces[token] = piece
        return piece


class VllmEngine:
    """Streams in a running vLLM.

    Args:
        client: the engine client that vLLM hands to its endpoint plugins.
        models: the names under which the model is served.
    """

    def __init__(self, client: EngineClient, models: tuple[str, ...]) -> None:
        config: Any = client.model_config
        tokenizer: Any = cached_tokenizer_from_config(config)
        encoder = tokenizer.instruct.audio_encoder
        self.models = models
        self.vocabulary = TekkenVocabulary(tokenizer)
        self._client = client
        self._dtype: Any = config.dtype
        self._prompt: list[int] = [*tokenizer.instruct.start(), *encoder.encode_streaming_tokens()]
        self._decode: DecodeStreams | None = None
        reason = why_not_decode(client.vllm_config)
        if reason is None:
            self._decode = DecodeStreams(client, self._prompt)
        else:
            logger.warning(
                "%s: each frame is a request update of its own, which costs the API server "
                "twice as much and more the older its stream is; streams are renewed each minute",
                reason,
            )
        self.layout = _layout(encoder.audio_config, config.max_model_len, reason is None)

    def open(self, stream_id: str, listener: Listener, *, bulk: bool = False) -> EngineStream:
        """Open a stream; the engine hears of it with its first window."""
        if self._decode is not None:
            return self._decode.open(stream_id, listener, bulk)
        return ResumableStream(self._client, stream_id, listener, self._prompt, self._dtype)


def why_not_decode(config: Any) -> str | None:
    """Why streams cannot be decode requests here; None if they can.

    Args:
        config: vLLM's VllmConfig.
    """
    conditions = {
        f"vLLM runs without --scheduler-cls {SCHEDULER}": (
            config.scheduler_config.scheduler_cls == SCHEDULER
        ),
        "streams as decode requests are not proved with model runner V2": (
            not config.use_v2_model_runner
        ),
        "streams as decode requests are not proved with asynchronous scheduling": (
            not config.scheduler_config.async_scheduling
        ),
        "streams as decode requests are not proved with prefix caching": (
            not config.cache_config.enable_prefix_caching
        ),
        "streams as decode requests are not proved with several engines or a pipeline": (
            config.parallel_config.data_parallel_size == 1
            and config.parallel_config.pipeline_parallel_size == 1
        ),
        "streams as decode requests are not proved with speculative decoding": (
            config.speculative_config is None
        ),
    }
    return next((reason for reason, met in conditions.items() if not met), None)


def _layout(audio: Any, max_tokens: int, flat: bool) -> StreamLayout:
    per_ms = audio.sampling_rate / 1000
    return StreamLayout(
        delay=audio.get_num_delay_tokens(),
        left_pad=audio.n_left_pad_tokens,
        right_pad=audio.n_right_pad_tokens(),
        look_ahead=int(audio.streaming_look_ahead_ms * per_ms),
        look_back=int(audio.streaming_look_back_ms * per_ms),
        max_tokens=max_tokens,
        renew_after=min(RENEW_AFTER if flat else RENEW_RESUMABLE_AFTER, max_tokens // 4),
    )
