"""What goes between the API server and the engine core: frames there, tokens back.

Both directions carry many streams in one message and next to no Python objects: a
message costs about the same whatever is in it, and at 12.5 frames a second a stream
that is what a server spends its time on.

A tick is one call of vLLM's utility channel, `voxtide_tick(client, prompt, opened,
fed, audio, closed)`:

    client  index of the API server
    prompt  tokens that new streams begin with
    opened  numbers of new streams, each followed by a sum of BULK and LOGPROBS
    fed     for each window the number of its stream and its size in bytes
    audio   all windows in that order, samples as float32
    closed  numbers of streams whose tokens are not wanted any more

The answers of a step are pairs of int32, a stream's number and a token; LOST stands
for the token of a stream that the engine had to give up. Where a stream was opened with
LOGPROBS, each of its pairs has one before it: LOGPROB, and the bits of a float32.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

UTILITY = "voxtide_tick"
"""Name of the method that takes a tick, on vLLM's EngineCore."""

CALL_ID = 0x766F7874696465
"""Under which the engine core answers; vLLM draws its own ids at random, from 64 bits."""

LOST = -1
LOGPROB = -1
"""In the place of a stream's number."""
BULK, LOGPROBS = 1, 2


def windows(fed: list[int], audio: bytes) -> Iterator[tuple[int, memoryview]]:
    """Each window of a tick with the number of its stream."""
    view, at = memoryview(audio), 0
    for number, size in zip(fed[::2], fed[1::2], strict=True):
        yield number, view[at : at + size]
        at += size


def as_bits(value: float) -> int:
    """A float32 in the place of a token."""
    return array("i", array("f", (value,)).tobytes())[0]


def as_float(bits: int) -> float:
    """The inverse of `as_bits`."""
    return array("f", array("i", (bits,)).tobytes())[0]


def pack(answers: list[int]) -> bytes:
    """Answers, flat: number, token, number, token and so on."""
    return array("i", answers).tobytes()


def unpack(data: bytes) -> Iterator[tuple[int, int]]:
    """The pairs of `pack`."""
    flat = array("i")
    flat.frombytes(data)
    return zip(flat[::2], flat[1::2], strict=True)
