"""How wide text is, and where words begin in scripts with and without spaces.

Wide are the characters of width W and F in Unicode Standard Annex 11, East Asian Width.  One
counts as 2.5 characters: with lines of 42, that makes the 16 characters that Netflix's guides for
Chinese and Korean allow on a line, and at 17 characters a second 6.8 wide ones, below their 9 and
12.  (The guide for Japanese, 13 on a line and 4 a second, is meant for edited text.)
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

WIDE = 2.5

_CLOSING = {"Pe", "Pf", "Po", "Lm", "Mn", "Mc", "Me", "Cf"}
_OPENING = {"Ps", "Pi"}
# Never first on a line in Japanese (JIS X 4051), and no words of their own.
_SMALL_KANA = frozenset("ぁぃぅぇぉっゃゅょァィゥェォッャュョ")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or a part of one that is wider than a line; `start` and `end` are seconds.

    `continues` says that it belongs to the piece before it, without a space.
    """

    text: str
    start: float
    end: float
    continues: bool = False


def width(text: str) -> float:
    """In Latin characters: 2.5 for a wide character, none for a mark on another one, 1 for a line
    break."""
    return sum(map(_char_width, text))


def split(text: str) -> list[str]:
    """The words of a text: what stands between spaces, and in scripts that have none, each
    character with the punctuation that clings to it."""
    return [word for chunk in text.split() for word in _split_chunk(chunk)]


def begins_word(before: str, char: str) -> bool:
    """Whether a word begins between two characters that follow each other."""
    if before.isspace() or char.isspace():
        return not char.isspace()
    if unicodedata.category(char) in _CLOSING or char in _SMALL_KANA:
        return False
    return (spaceless(before) or spaceless(char)) and unicodedata.category(before) not in _OPENING


def spaceless(char: str) -> bool:
    """Whether a character belongs to a script without spaces: Chinese or Japanese."""
    return (
        unicodedata.east_asian_width(char) in "WF"
        and unicodedata.category(char)[0] in "LPN"
        and "HANGUL" not in unicodedata.name(char, "")
    )


def joined(pieces: Iterable[Piece]) -> str:
    """The text of pieces that follow each other."""
    whole = ""
    for piece in pieces:
        whole += f" {piece.text}" if whole and _apart(whole, piece) else piece.text
    return whole


def cut(piece: Piece, max_width: float) -> list[Piece]:
    """A word in parts that are no wider than this; its time is shared out by length."""
    parts = [""]
    for char in piece.text:
        if parts[-1] and width(parts[-1] + char) > max_width:
            parts.append("")
        parts[-1] += char
    seconds = (piece.end - piece.start) / len(piece.text)
    ends = [piece.start]
    for part in parts:
        ends.append(ends[-1] + seconds * len(part))
    ends[-1] = piece.end
    spans = zip(parts, pairwise(ends), strict=True)
    return [Piece(part, *span, continues=n > 0) for n, (part, span) in enumerate(spans)]


def _split_chunk(chunk: str) -> list[str]:
    words = [chunk[0]]
    for before, char in pairwise(chunk):
        if begins_word(before, char):
            words.append("")
        words[-1] += char
    return words


def _apart(text: str, piece: Piece) -> bool:
    return not (piece.continues or spaceless(text[-1]) or spaceless(piece.text[0]))


@lru_cache(maxsize=4096)
def _char_width(char: str) -> float:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return WIDE if unicodedata.east_asian_width(char) in "WF" else 1
