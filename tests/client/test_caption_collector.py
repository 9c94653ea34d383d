"""Words out of pieces."""

import pytest

from voxtide.captions import TimedWord, WordCollector

PIECES = {
    "whole words": ([" one", " two"], ["one", "two"]),
    "a word in pieces": ([" se", "ven", " eight"], ["seven", "eight"]),
    "several words at once": ([" one two th", "ree"], ["one", "two", "three"]),
    "no space at first": (["one", " two"], ["one", "two"]),
    "space of its own": (["one", " ", "two", "\n"], ["one", "two"]),
    "nothing": (["", " "], []),
}


@pytest.mark.parametrize(("pieces", "words"), PIECES.values(), ids=PIECES)
def test_words_are_put_together(pieces, words):
    collector = WordCollector()
    for piece in pieces:
        collector.add(piece, None, 0.0)
    collector.close()
    assert [word.text for word in collector.words] == words


def test_a_word_has_the_time_of_its_last_piece():
    collector = WordCollector()
    collector.add(" se", 0.4, 1.0)
    collector.add("ven", 0.48, 1.1)
    assert collector.current == TimedWord("seven", 0.48, 1.1)
    collector.add(" ", 0.9, 2.0)
    assert collector.words == [TimedWord("seven", 0.48, 1.1)]
    assert collector.current is None
