"""Where to break lines and cues.

A break is best after punctuation, then before a conjunction or a preposition, and worst after a
word that belongs to the next one, such as an article (Netflix, Timed Text Style Guide: General
Requirements, Line Treatment).  Each rank is worth 10 characters: of difference between two lines,
or of text that a cue leaves to the next one.
"""

from collections.abc import Sequence

from .text import Piece, joined, width

_RANK_WIDTH = 10.0
_PUNCTUATION = tuple(".,;:?!…。、，；：？！؟،।")
_SENTENCE_END = tuple(".?!…。？！؟।")
_QUOTES = "\"'»”’)]」』"


def _set(*lists: str) -> frozenset[str]:
    return frozenset(" ".join(lists).split())


# Conjunctions and prepositions of English, German, French, Spanish, Italian, Portuguese, Dutch.
_BEFORE = _set(
    "and or but because if when while that which who than although so since unless until",
    "about after at before between by for from in into of on over through to under with without",
    "und oder aber weil wenn dass als ob auf aus bei für mit nach von vor zu",
    "et ou mais parce que qui quand avec dans de pour sans sous sur",
    "y o pero porque cuando con en para por sin sobre",
    "e ma perché quando che di da per tra",
    "mas porque quando com em sem",
    "en maar omdat wanneer dat met naar van voor",
)
# Articles and what else belongs to the word after it.
_WITH_NEXT = _set(
    "the a an my your his her its our their this these those not mr mrs dr",
    "der die das den dem des ein eine einen einem le la les un une el los las il lo gli",
    "os as um uma het een",
)


def break_lines(pieces: Sequence[Piece], max_line: float, max_lines: int) -> tuple[str, ...]:
    """The text on one line if it fits, else on two; no lines if it does not fit at all."""
    whole = joined(pieces)
    if width(whole) <= max_line:
        return (whole,)
    if max_lines == 1 or width(whole) > 2 * max_line + 1:
        return ()
    options = [
        (_rank(pieces, at) * _RANK_WIDTH + abs(width(first) - width(second)), (first, second))
        for at in range(1, len(pieces))
        for first, second in [(joined(pieces[:at]), joined(pieces[at:]))]
        if max(width(first), width(second)) <= max_line
    ]
    return min(options, key=lambda option: option[0])[1] if options else ()


def break_cue(pieces: Sequence[Piece]) -> int:
    """How many of the pieces, of which the last is too much for the cue, to show in it."""

    def cost(at: int) -> float:
        return _rank(pieces, at) * _RANK_WIDTH + width(joined(pieces[at:-1]))

    return min(reversed(range(1, len(pieces))), key=cost)


def ends_sentence(piece: Piece) -> bool:
    """Whether a sentence ends with a word."""
    return piece.text.rstrip(_QUOTES).endswith(_SENTENCE_END)


def _rank(pieces: Sequence[Piece], at: int) -> int:
    before, after = pieces[at - 1].text, pieces[at].text
    if pieces[at].continues:
        return 4
    if before.rstrip(_QUOTES).endswith(_PUNCTUATION):
        return 0
    word = before.casefold()
    if word in _WITH_NEXT or word in _BEFORE:
        return 3
    return 1 if after.casefold() in _BEFORE else 2
