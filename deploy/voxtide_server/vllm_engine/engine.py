"""vLLM as voxtide's engine: the model's layout, its tokens, and the way of its streams."""

from __future__ import annotations

from typing import Any

from vllm.engine.protocol import EngineClient
from vllm.tokenizers import cached_tokenizer_from_config

from ..engine import FRAME_S, EngineStream, Listener, StreamLayout
from ..logs import logger
from .decode import DecodeStreams
from .resumable import ResumableStream

SCHEDULER = "voxtide_server.vllm_engine.scheduler.StreamScheduler"
"""For vLLM's flag --scheduler-cls."""

RENEW_S = 120.0
"""Age from which a decode request is renewed. Its cost is flat but for a copy of its tokens
each time that it comes back into vLLM's batch."""
RENEW_RESUMABLE_S = 60.0
"""The same for a resumable request, the cost of which grows with each frame."""


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
        renew_s: age from which a stream is renewed; None for what suits its way.

    Attributes:
        measurable: whether what it carries can be told from filling it with new streams:
            not where a frame costs more the older its stream is, and not where another API
            server may do the same just now.
    """

    def __init__(
        self, client: EngineClient, models: tuple[str, ...], renew_s: float | None
    ) -> None:
        config: Any = client.model_config
        tokenizer: Any = cached_tokenizer_from_config(config)
        encoder = tokenizer.instruct.audio_encoder
        self.models = models
        self.vocabulary = TekkenVocabulary(tokenizer)
        self._client = client
        self._dtype: Any = config.dtype
        self._prompt: list[int] = [*tokenizer.instruct.start(), *encoder.encode_streaming_tokens()]
        reason = why_not_decode(client.vllm_config)
        if reason is not None:
            logger.warning(
                "%s: each frame is a request update of its own, which costs the API server "
                "twice as much and more the older its stream is, so streams are renewed sooner",
                reason,
            )
        self.layout = _layout(
            encoder.audio_config,
            config.max_model_len,
            renew_s or (RENEW_S if reason is None else RENEW_RESUMABLE_S),
        )
        api_servers: int = client.vllm_config.parallel_config._api_process_count
        self.measurable = reason is None and api_servers == 1
        self.places = max(1, _places(client.vllm_config, self.layout) // api_servers)
        self._decode: DecodeStreams | None = None
        if reason is None:
            self._decode = DecodeStreams(client, self._prompt, self.places)

    @property
    def alive(self) -> bool:
        """Whether vLLM's engine core runs."""
        return not self._client.errored

    def open(
        self, stream_id: str, listener: Listener, *, bulk: bool = False, logprobs: bool = False
    ) -> EngineStream:
        """Open a stream; the engine hears of it with its first window."""
        if self._decode is not None:
            return self._decode.open(listener, bulk, logprobs)
        return ResumableStream(
            self._client, stream_id, listener, self._prompt, self._dtype, logprobs
        )


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


def _places(config: Any, layout: StreamLayout) -> int:
    """Streams for which the scheduler and the KV cache have room, each as old as it may get."""
    most: int = config.scheduler_config.max_num_seqs
    tokens = config.cache_config.kv_cache_size_tokens
    return most if tokens is None else min(most, tokens // layout.oldest)


def _layout(audio: Any, max_tokens: int, renew_s: float) -> StreamLayout:
    per_ms = audio.sampling_rate / 1000
    return StreamLayout(
        delay=audio.get_num_delay_tokens(),
        left_pad=audio.n_left_pad_tokens,
        right_pad=audio.n_right_pad_tokens(),
        look_ahead=int(audio.streaming_look_ahead_ms * per_ms),
        look_back=int(audio.streaming_look_back_ms * per_ms),
        max_tokens=max_tokens,
        renew_after=min(round(renew_s / FRAME_S), max_tokens // 4),
    )
