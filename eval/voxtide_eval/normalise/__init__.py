"""What two texts are made alike by before their differences are counted.

Normalisation moves an error rate by more than any model does: one and the same run of Voxtral
Realtime has been published with 12.09 % on English FLEURS and, it seems normalised, with 4.90 %. So
every run names its normaliser, and each has tests on pairs that others published.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from .basic import basic, characters, unchanged, whisper_basic
from .leaderboard import english, multilingual

Normaliser = Callable[[str], str]

NORMALISERS: Final[Mapping[str, Normaliser]] = MappingProxyType(
    {
        "leaderboard-en": english,
        "leaderboard-ml": multilingual,
        "basic": basic,
        "whisper-basic": whisper_basic,
        "characters": characters,
        "none": unchanged,
    }
)
"""By name. All give words with single spaces between them, and none around; characters gives no
spaces. Applying one twice gives what applying it once gives, but for leaderboard-en."""

__all__ = ["NORMALISERS", "Normaliser"]
