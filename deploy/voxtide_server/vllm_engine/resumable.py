"""Streams as resumable requests, vLLM's own way.

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
from vllm.v1.engine.exceptions import EngineDeadError

from ..engine import Listener, Samples
from ..errors import EngineDead, EngineFailed
from ..logs import logger


class ResumableStream:
    """One resumable vLLM request."""

    def __init__(
        self,
        client: EngineClient,
        stream_id: str,
        listener: Listener,
        prompt: list[int],
        dtype: torch.dtype,
        logprobs: bool,
    ) -> None:
        self._client = client
        self._id = stream_id
        self._prompt = prompt
        self._dtype = dtype
        self._logprobs = logprobs
        self._windows: asyncio.Queue[Samples] = asyncio.Queue()
        self._last: asyncio.Queue[int] = asyncio.Queue()
        self._count = 0
        self._listener = listener
        self._task = asyncio.create_task(self._run())

    def feed(self, window: Samples) -> None:
        """Queue the next window. Never blocks."""
        self._windows.put_nowait(window)

    def close(self) -> None:
        """Abort the request."""
        self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._generate()
        except EngineDeadError as error:
            logger.error("%s: the engine is dead: %s", self._id, error)
            self._listener.lost(EngineDead())
        except Exception:
            logger.exception("%s: lost", self._id)
            self._listener.lost(EngineFailed())
        else:  # vLLM ended a request that nobody had closed
            self._listener.lost(EngineFailed())

    async def _generate(self) -> None:
        sampling = SamplingParams(
            temperature=0.0,
            max_tokens=1,
            ignore_eos=True,
            detokenize=False,
            logprobs=0 if self._logprobs else None,
            output_kind=RequestOutputKind.DELTA,
            skip_clone=True,
        )
        outputs = self._client.generate(self._updates(), sampling, self._id)
        async with contextlib.aclosing(outputs):
            async for output in outputs:
                completion = output.outputs[0]
                for at, token in enumerate(completion.token_ids):
                    self._last.put_nowait(token)
                    scores = completion.logprobs[at] if completion.logprobs else None
                    self._listener.token(token, scores[token].logprob if scores else None)

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
