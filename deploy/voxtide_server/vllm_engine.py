"""The engine adapter: the only module that imports vLLM.

A stream is a resumable vLLM request: each window of audio is one update with
`max_tokens=1`, and its prompt is the token that the window before it brought.
The update's multimodal input is built here, as the stock endpoint's generic
processor would have built it, without its rendering, hashing and validation.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import torch
from vllm.engine.protocol import EngineClient
from vllm.engine.protocol import StreamingInput as EngineUpdate
from vllm.inputs.engine import mm_input
from vllm.multimodal.inputs import (
    MultiModalBatchedField,
    MultiModalFieldElem,
    MultiModalKwargsItem,
    MultiModalKwargsItems,
    PlaceholderRange,
)
from vllm.sampling_params import RequestOutputKind, SamplingParams
from vllm.tokenizers import cached_tokenizer_from_config
from vllm.v1.engine.exceptions import EngineDeadError

from .engine import Samples, StreamLayout
from .errors import EngineDead, EngineFailed


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
        config = client.model_config
        tokenizer: Any = cached_tokenizer_from_config(config)
        encoder = tokenizer.instruct.audio_encoder
        self.models = models
        self.vocabulary = TekkenVocabulary(tokenizer)
        self.layout = _layout(encoder.audio_config, config.max_model_len)
        self._client = client
        self._dtype: Any = config.dtype
        self._prompt: list[int] = [*tokenizer.instruct.start(), *encoder.encode_streaming_tokens()]

    def open(self, stream_id: str) -> VllmStream:
        """Open a stream; the engine hears of it with its first window."""
        return VllmStream(self._client, stream_id, self._prompt, self._dtype)


def _layout(audio: Any, max_tokens: int) -> StreamLayout:
    per_ms = audio.sampling_rate / 1000
    return StreamLayout(
        delay=audio.get_num_delay_tokens(),
        left_pad=audio.n_left_pad_tokens,
        right_pad=audio.n_right_pad_tokens(),
        look_ahead=int(audio.streaming_look_ahead_ms * per_ms),
        look_back=int(audio.streaming_look_back_ms * per_ms),
        max_tokens=max_tokens,
    )


class VllmStream:
    """One resumable vLLM request."""

    def __init__(
        self, client: EngineClient, stream_id: str, prompt: list[int], dtype: torch.dtype
    ) -> None:
        self._client = client
        self._id = stream_id
        self._prompt = prompt
        self._dtype = dtype
        self._windows: asyncio.Queue[Samples] = asyncio.Queue()
        self._last: asyncio.Queue[int] = asyncio.Queue()
        self._count = 0

    def feed(self, window: Samples) -> None:
        """Queue the next window. Never blocks."""
        self._windows.put_nowait(window)

    async def tokens(self) -> AsyncGenerator[int]:
        """One token id for each window, in order, until the generator is closed.

        Raises:
            EngineFailed: the engine is dead, or it ended the request of itself.
        """
        sampling = SamplingParams(
            temperature=0.0,
            max_tokens=1,
            ignore_eos=True,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            skip_clone=True,
        )
        outputs = self._client.generate(self._updates(), sampling, self._id)
        try:
            async with contextlib.aclosing(outputs):
                async for output in outputs:
                    for token in output.outputs[0].token_ids:
                        self._last.put_nowait(token)
                        yield token
        except EngineDeadError as error:
            raise EngineDead from error
        except Exception as error:
            raise EngineFailed from error
        raise EngineFailed  # vLLM ended a request that nobody had closed

    async def _updates(self) -> AsyncGenerator[EngineUpdate]:
        token_ids = list(self._prompt)
        while True:
            window = await self._windows.get()
            yield EngineUpdate(prompt=self._input(token_ids, window))
            token_ids = [await self._last.get()]

    def _input(self, token_ids: list[int], window: Samples) -> Any:
        # Stock casts floats to the model's type before they are sent; in float32
        # one token in 135 came out differently.
        audio = torch.from_numpy(window).to(self._dtype)
        element = MultiModalFieldElem(data=audio, field=MultiModalBatchedField())
        item = MultiModalKwargsItem({"audio_arrays": element})
        self._count += 1
        return mm_input(
            prompt_token_ids=token_ids,
            mm_kwargs=MultiModalKwargsItems({"audio": [item]}),
            # The engine caches by this name: every window needs one of its own.
            mm_hashes={"audio": [f"{self._id}/{self._count}"]},
            mm_placeholders={"audio": [PlaceholderRange(offset=0, length=len(token_ids))]},
        )
