"""What goes between the API server and the engine core, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_server.vllm_engine.ticks import LOST, as_bits, as_float, pack, unpack, windows

NUMBERS = st.integers(0, 2**31 - 1)


@given(st.lists(st.tuples(NUMBERS, st.integers(LOST, 2**31 - 1))))
def test_answers_come_back_in_their_order(answers: list[tuple[int, int]]) -> None:
    assert list(unpack(pack([part for answer in answers for part in answer]))) == answers


def test_a_lost_stream_is_told_from_every_token() -> None:
    assert list(unpack(pack([3, 0, 4, LOST, 3, 131_071]))) == [(3, 0), (4, LOST), (3, 131_071)]


@given(st.floats(width=32, allow_nan=False))
def test_a_logprob_goes_where_a_token_goes(logprob: float) -> None:
    ((_, bits),) = unpack(pack([1, as_bits(logprob)]))
    assert as_float(bits) == logprob


def test_a_number_without_its_token_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(unpack(pack([1, 2, 3])))


@given(st.lists(st.tuples(NUMBERS, st.binary(max_size=50))))
def test_each_stream_gets_its_own_windows(fed: list[tuple[int, bytes]]) -> None:
    """Several of the same stream, and empty ones, among them."""
    flat = [part for number, window in fed for part in (number, len(window))]
    audio = b"".join(window for _, window in fed)
    assert [(number, bytes(view)) for number, view in windows(flat, audio)] == fed
