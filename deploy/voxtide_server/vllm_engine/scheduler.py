"""Streams in vLLM's scheduler: decode requests that wait for their audio.

A stream is one ordinary decode request. Its prompt is covered by the first window of
audio, and each later window by one token: the one that the window before it brought.
vLLM's scheduler passes over a running request whose number of new tokens is 0, and
asks `_try_schedule_encoder_inputs` for that number; here it is 0 while the audio of
the next position has not come. Nothing of a frame is kept once its step is
scheduled, so a step does the same work whatever the age of its streams (vLLM issue
58324: stock copies and sends all features of a session for each frame; 50860: and
keeps them).

What follows from audio not being kept: a stream cannot be computed again. Where vLLM
would preempt one, it is given up, and the API server starts it anew with the audio
that has no words yet.

Proved with vLLM 0.32, model runner V1, synchronous scheduling, no prefix caching and
one engine; `engine.why_not_decode` holds these conditions.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from vllm.multimodal.inputs import MultiModalFeatureSpec, PlaceholderRange
from vllm.sampling_params import RequestOutputKind, SamplingParams
from vllm.v1.core.sched.output import SchedulerOutput
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.engine import EngineCoreOutputs, UtilityOutput
from vllm.v1.metrics.stats import SchedulerStats
from vllm.v1.request import Request, RequestStatus
from vllm.v1.serial_utils import UtilityResult

from .fairness import Fairness
from .ticks import BULK, CALL_ID, LOGPROB, LOGPROBS, LOST, as_bits, pack, windows
from .worker import HEARD, SAMPLE_BYTES, Place

STATS_S = 0.1
"""Seconds between two reports of vLLM's statistics; stock reports each step."""


@dataclass(eq=False, slots=True)
class _Stream:
    """One stream; `audio` holds the windows that no step has taken yet."""

    request: Request
    client: int
    number: int
    bulk: bool
    audio: deque[bytes] = field(default_factory=deque)


class StreamScheduler(Scheduler):
    """vLLM's scheduler with streams; other requests are scheduled as ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._streams: dict[str, _Stream] = {}
        self._ready: dict[str, _Stream] = {}
        self._send: Callable[[tuple[int, EngineCoreOutputs]], None]
        self._answers: dict[int, list[int]] = {}
        self._fairness = Fairness()
        self._last_stats = 0.0
        self._full = False

    # ---- ticks -----------------------------------------------------------------------

    def tick(
        self,
        client: int,
        prompt: list[int],
        opened: list[int],
        fed: list[int],
        audio: bytes,
        closed: list[int],
    ) -> None:
        """Take a tick; on the core's own thread, between two steps."""
        self._full = False
        for number, traits in zip(opened[::2], opened[1::2], strict=True):
            self._open(client, number, traits, prompt)
        for number, window in windows(fed, audio):
            stream = self._streams.get(_id(client, number))
            if stream is not None:  # it may have been given up in the meantime
                # A copy: a view would keep the windows of all streams in this tick.
                stream.audio.append(bytes(window))
                self._ready[stream.request.request_id] = stream
        # Last: a stream may be opened and closed within one tick.
        self.finish_requests(
            [_id(client, number) for number in closed], RequestStatus.FINISHED_ABORTED
        )

    def _open(self, client: int, number: int, traits: int, prompt: list[int]) -> None:
        name = _id(client, number)
        request = Request(
            request_id=name,
            client_index=client,
            # vLLM extends the list in place.
            prompt_token_ids=prompt.copy(),
            sampling_params=SamplingParams(
                temperature=0.0,
                max_tokens=self.max_model_len,
                ignore_eos=True,
                detokenize=False,
                # Those of the tokens themselves, and of no others.
                logprobs=0 if traits & LOGPROBS else None,
                output_kind=RequestOutputKind.DELTA,
            ),
            pooling_params=None,
            # Stands for all audio to come: vLLM asks about audio only where there is some.
            mm_features=[
                MultiModalFeatureSpec(None, "audio", name, PlaceholderRange(0, len(prompt)))
            ],
        )
        self._streams[name] = _Stream(request, client, number, bool(traits & BULK))
        self.add_request(request)

    def answer_through(self, send: Callable[[tuple[int, EngineCoreOutputs]], None]) -> None:
        """Where messages for API servers go, each with the server's index."""
        self._send = send

    # ---- a step ----------------------------------------------------------------------

    def get_num_unfinished_requests(self) -> int:
        """Streams that cannot go on are no work: the core sleeps until the next tick.

        Those are streams without audio, and those that have some and wait for a place
        while all that have a place are without audio.
        """
        unfinished: int = super().get_num_unfinished_requests()
        others = unfinished - len(self._streams)
        return others if self._full else others + len(self._ready)

    def schedule(self, throttle_prefills: bool = False) -> SchedulerOutput:
        """Schedule a step and add the audio that its streams need."""
        live = any(not stream.bulk for stream in self._ready.values())
        bulk = [name for name, stream in self._ready.items() if stream.bulk]
        self._fairness.begin(bulk, live, time.monotonic())
        self._full = True  # unless a step or a place comes of this
        output = super().schedule(throttle_prefills)
        places: list[Place] = []
        audio: list[bytes] = []
        for name in output.scheduled_encoder_inputs:
            if (stream := self._streams.get(name)) is not None:
                count = output.num_scheduled_tokens[name]
                start = stream.request.num_computed_tokens - count
                audio.append(stream.audio.popleft())
                places.append((name, start, count, len(audio[-1]) // SAMPLE_BYTES))
                if not stream.audio:
                    del self._ready[name]
        # vLLM has no field that takes audio to a request which the worker knows
        # already; an attribute of our own is pickled with the rest.
        setattr(output, HEARD, (places, b"".join(audio)))
        idle = not output.num_scheduled_tokens and not self._fairness.holds_back
        self._full = self._full and idle
        return output

    def _try_schedule_encoder_inputs(
        self,
        request: Request,
        num_computed_tokens: int,
        num_new_tokens: int,
        encoder_compute_budget: int,
        shift_computed_tokens: int = 0,
    ) -> tuple[list[int], int, int, list[int], list[int]]:
        stream = self._streams.get(request.request_id)
        if stream is None:
            stock: tuple[list[int], int, int, list[int], list[int]]
            stock = super()._try_schedule_encoder_inputs(
                request,
                num_computed_tokens,
                num_new_tokens,
                encoder_compute_budget,
                shift_computed_tokens,
            )
            return stock
        # A window is taken whole or not at all, the prompt's 39 tokens too.
        whole = num_new_tokens == request.num_tokens - num_computed_tokens
        fits = whole and num_new_tokens <= encoder_compute_budget
        # vLLM stops at the first waiting request that it cannot schedule, so a stream's
        # first window is never made to wait for fairness.
        fair = num_computed_tokens == 0 or self._fairness.allows(request.request_id)
        if not (fits and fair and stream.audio):
            return [], 0, encoder_compute_budget, [], []
        return [0], num_new_tokens, encoder_compute_budget - num_new_tokens, [], []

    def _allocate_encoder_inputs(
        self, request: Request, input_ids: list[int], duplicate_input_ids: list[int]
    ) -> None:
        # The embedding of a frame is used once, in its own step: worker.py lets it go.
        if request.request_id not in self._streams:
            super()._allocate_encoder_inputs(request, input_ids, duplicate_input_ids)

    def _make_cached_request_data(self, *args: Any, **kwargs: Any) -> Any:
        # Stock copies all tokens of a request that was not in the step before, for
        # asynchronous scheduling alone; live streams seldom are.
        self.prev_step_scheduled_req_ids.update(self._streams)
        return super()._make_cached_request_data(*args, **kwargs)

    def update_from_output(self, scheduler_output: Any, model_runner_output: Any) -> Any:
        """Take a step's tokens; those of streams go to their API server at once."""
        result: dict[int, EngineCoreOutputs]
        result = super().update_from_output(scheduler_output, model_runner_output)
        self._fairness.end(time.monotonic())
        for client, outputs in list(result.items()):
            others = []
            for output in outputs.outputs:
                number = _number(output.request_id)
                if number is None:
                    others.append(output)
                    continue
                answers = self._answers.setdefault(client, [])
                for at, token in enumerate(output.new_token_ids):
                    if output.new_logprobs is not None:
                        logprob = float(output.new_logprobs.logprobs[at][0])
                        answers += (LOGPROB, as_bits(logprob))
                    answers += (number, token)
                if output.finish_reason is not None:  # max_model_len, as a last resort
                    answers += (number, LOST)
            outputs.outputs = others
            if not (others or outputs.scheduler_stats or outputs.finished_requests):
                del result[client]
        self._send_answers()
        return result

    def _send_answers(self) -> None:
        for client, answers in self._answers.items():
            output = UtilityOutput(CALL_ID, result=UtilityResult(pack(answers)))
            self._send((client, EngineCoreOutputs(utility_output=output)))
        self._answers.clear()

    def make_stats(self, *args: Any, **kwargs: Any) -> SchedulerStats | None:
        """vLLM's statistics, a few times a second: what they count adds up meanwhile."""
        now = time.monotonic()
        if self._streams and now - self._last_stats < STATS_S:
            return None
        self._last_stats = now
        stats: SchedulerStats | None = super().make_stats(*args, **kwargs)
        return stats

    # ---- the end of a stream ---------------------------------------------------------

    def _preempt_request(
        self, request: Request, timestamp: float, drop_stale_output: bool = False
    ) -> None:
        stream = self._streams.get(request.request_id)
        if stream is None:
            super()._preempt_request(request, timestamp, drop_stale_output)
            return
        self._answers.setdefault(stream.client, []).extend((stream.number, LOST))
        request.status = RequestStatus.FINISHED_ERROR
        self._free_request(request)

    def _free_request(self, request: Request, delay_free_blocks: bool = False) -> Any:
        self._full = False
        self._streams.pop(request.request_id, None)
        self._ready.pop(request.request_id, None)
        return super()._free_request(request, delay_free_blocks)


_PREFIX = "voxtide-"


def _id(client: int, number: int) -> str:
    return f"{_PREFIX}{client}-{number}"


def _number(request_id: str) -> int | None:
    if not request_id.startswith(_PREFIX):
        return None
    return int(request_id.rpartition("-")[2])


class _NoAnswer(Future[None]):
    """vLLM answers a utility call when its future is done; this one never is."""

    def add_done_callback(self, fn: Any) -> None:
        """Nobody is told."""


_NO_ANSWER = _NoAnswer()


def take_tick(
    core: Any,
    client: int,
    prompt: list[int],
    opened: list[int],
    fed: list[int],
    audio: bytes,
    closed: list[int],
) -> Future[None]:
    """The utility method of EngineCore that API servers call; see `ticks`."""
    scheduler: StreamScheduler = core.scheduler
    scheduler.answer_through(core.output_queue.put_nowait)
    scheduler.tick(client, prompt, opened, fed, audio, closed)
    return _NO_ANSWER
