"""Windows of a file as one transcript."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtide_server.events import Completed, Delta, Segment, Word
from voxtide_server.stitch import Stitch


def turn(number: int, text: str, segments: int = 0) -> Completed:
    """A window of 10 s."""
    start = 10.0 * number
    made = tuple(
        Segment(n, "a", (Word("a", start + n, start + n + 0.5),), (7,)) for n in range(segments)
    )
    return Completed(f"t{number}", text.strip(), made, start, start + 10.0, 39, 125)


def stitched(*turns: list[str]) -> tuple[str, str]:
    """All deltas joined, and the final text, of turns that are given by their deltas."""
    stitch, joined = Stitch(), ""
    for number, deltas in enumerate(turns):
        joined += "".join(stitch.delta(Delta(f"t{number}", text, 0.0)).text for text in deltas)
        stitch.add(turn(number, "".join(deltas)))
    return joined.strip(), stitch.whole().text


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        ([[" one", " two"], [" three"]], "one two three"),
        ([["one"], ["two", " three"]], "one two three"),
        ([["你好"], ["世界", "。"]], "你好世界。"),
        ([["こん", "にちは"], ["世界"]], "こんにちは世界"),
        ([["안녕"], ["세계"]], "안녕 세계"),
        ([[" one"], ["二"], [" three"]], "one二 three"),
        ([[], [" one"], [], [], [" two"], []], "one two"),
        ([[], []], ""),
        ([[" one"], ["", "two"]], "one two"),  # half a character decodes to nothing
    ],
)
def test_words_of_neighbouring_windows_stand_apart(turns: list[list[str]], text: str) -> None:
    assert stitched(*turns) == (text, text)


PIECES = st.sampled_from(["one", " two", "é", ",", " .", "", "你", "好。", "안녕", "नम"])
"""Words without a space before them begin a window, or go on with a word."""


@given(st.lists(st.lists(PIECES, max_size=4), max_size=6).filter(bool))
def test_streamed_deltas_joined_are_the_final_text(turns: list[list[str]]) -> None:
    joined, text = stitched(*turns)
    assert joined == text
    assert "  " not in text


def test_a_delta_keeps_its_time_and_its_turn() -> None:
    stitch = Stitch()
    stitch.delta(Delta("t0", "one", 1.5))
    assert stitch.delta(Delta("t1", "two", 12.5)) == Delta("t1", " two", 12.5)


def test_the_whole_reaches_from_the_first_window_to_the_last() -> None:
    stitch = Stitch()
    for number, text in enumerate(["one", "", "two"]):
        stitch.add(turn(number, text))
    whole = stitch.whole()
    assert (whole.start, whole.end) == (0.0, 30.0)
    assert (whole.prompt_tokens, whole.completion_tokens) == (3 * 39, 3 * 125)


def test_one_window_is_the_whole() -> None:
    only = turn(0, "one", segments=1)
    stitch = Stitch()
    stitch.delta(Delta("t0", "one", 1.0))
    stitch.add(only)
    assert stitch.whole() == only


def test_segments_are_numbered_over_all_windows() -> None:
    stitch = Stitch()
    for number, segments in enumerate([1, 0, 1, 1]):
        stitch.add(turn(number, "a", segments))
    whole = stitch.whole()
    assert [segment.number for segment in whole.segments] == [0, 1, 2]
    assert [word.end for word in whole.words] == [0.5, 20.5, 30.5]


def test_several_segments_of_a_window_are_numbered_one_by_one() -> None:
    """`segments +=` a generator: `len(segments)` grows while it is read."""
    stitch = Stitch()
    for number in range(2):
        stitch.add(turn(number, "a a a", segments=3))
    assert [segment.number for segment in stitch.whole().segments] == list(range(6))


@pytest.mark.parametrize(
    "turns", [[["你"], [" 好"]], [["one "], ["two"]], [["one "], [" two"]], [["你 "], ["好"]]]
)
def test_spaces_at_a_windows_edges_do_not_part_deltas_and_text(turns: list[list[str]]) -> None:
    """`whole` joins texts that were stripped, `delta` what the model said: "你 好" and "你好",
    "one  two" and "one two"."""
    joined, text = stitched(*turns)
    assert joined == text
