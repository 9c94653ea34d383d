"""The rules of the Open ASR Leaderboard, as they were when Voxtral Realtime came onto it.

In English they were Whisper's own (numbers to figures, contractions spelt out, British to American
spelling, fillers left out); its 7.68 % average was counted so in March 2026. In the months after,
the leaderboard changed them (pull request 142: more fillers, acronyms, times of day, compounds) and
cleaned its datasets, so what it shows now is not comparable with what it showed then.

whisper-normalizer is pinned to the release whose rules are Whisper's to the letter; later ones have
rules of their own ("cause" becomes "because").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import cast

_NOT_A_WORD = re.compile(r"[^\w\s]")
_PINNED = "pip install 'voxtide[eval]'"


def english(text: str) -> str:
    """The leaderboard's rules for English.

    Raises:
        ModuleNotFoundError: whisper-normalizer is not installed.
    """
    return " ".join(_english()(text).split())


def multilingual(text: str) -> str:
    """The leaderboard's rules for German, French, Italian, Spanish and Portuguese.

    Accents go too: "é" counts as "e".

    Raises:
        ModuleNotFoundError: whisper-normalizer is not installed.
    """
    return " ".join(_NOT_A_WORD.sub("", _multilingual()(text)).split())


@cache
def _english() -> Callable[[str], str]:
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(f"whisper-normalizer is not installed: {_PINNED}") from missing
    return cast(Callable[[str], str], EnglishTextNormalizer())


@cache
def _multilingual() -> Callable[[str], str]:
    try:
        from whisper_normalizer.basic import BasicTextNormalizer
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(f"whisper-normalizer is not installed: {_PINNED}") from missing
    return cast(Callable[[str], str], BasicTextNormalizer(remove_diacritics=True))
