"""Rules for any language: what Whisper calls basic, with the marks that spell vowels left in.

Whisper's basic rules (A. Radford et al.: "Robust speech recognition via large-scale weak
supervision", 2022, appendix C) put a space for every symbol, punctuation mark and combining mark.
In Hindi and its kin vowels are combining marks (categories Mc, Mn): without them a word falls into
bits that other words fall into as well, and the error rate is of something else.
"""

from __future__ import annotations

import re
import unicodedata

_IN_BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
_IN_PARENTHESES = re.compile(r"\([^)]+\)")


def basic(text: str) -> str:
    """Lower case, no symbols, no punctuation, nothing in brackets; letters keep their marks."""
    return _spaced(_plain(text, also_marks=False))


def whisper_basic(text: str) -> str:
    """Whisper's own basic rules, which also cut words at combining marks.

    What figures that were made with them have to be compared with; never what to look at in
    languages whose vowels are marks.
    """
    return _spaced(_plain(text, also_marks=True))


def characters(text: str) -> str:
    """The basic rules and no space at all: every character is a unit, as CER counts."""
    return "".join(basic(text).split())


def unchanged(text: str) -> str:
    """The text as it is, with single spaces: case and punctuation count."""
    return _spaced(text)


def _plain(text: str, *, also_marks: bool) -> str:
    bare = _IN_PARENTHESES.sub("", _IN_BRACKETS.sub("", text.lower()))
    dropped = "MSP" if also_marks else "SP"
    letters = unicodedata.normalize("NFKC", bare)
    return "".join(
        " " if unicodedata.category(letter)[0] in dropped else letter for letter in letters
    ).lower()


def _spaced(text: str) -> str:
    return " ".join(text.split())
