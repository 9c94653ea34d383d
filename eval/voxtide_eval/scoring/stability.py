"""Words that were shown and then changed, as a reader of live captions sees it.

Texts are compared as they were shown, case and punctuation included. A last word that only grows
("thir", "thirteen", "thirteen,") has not been changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..manifest import Heard
from .alignment import units


@dataclass(frozen=True)
class Stability:
    """How much of what was shown stayed.

    Attributes:
        partials: texts that were shown before a transcript was final.
        changed: share of them, from 0 to 1, of which the final transcript has not every word.
        withdrawn: words that were taken back, each as often as it was.
        per_word: those by word of the final transcripts.
    """

    partials: int
    changed: float
    withdrawn: int
    per_word: float


def stability(heard: Sequence[Heard], metric: str) -> Stability | None:
    """Compare partial transcripts; None where none were shown.

    Args:
        heard: utterances; those with an error, whose transcript never became final, are left out.
        metric: "wer", or "cer" where languages are written without spaces.
    """
    spoken = [one for one in heard if one.partials and not one.error]
    if not spoken:
        return None
    shown = [[units(text, metric) for text in _texts(one)] for one in spoken]
    partials = sum(len(texts) - 1 for texts in shown)
    changed = sum(withdrawn(text, texts[-1]) > 0 for texts in shown for text in texts[:-1])
    taken = sum(withdrawn(text, after) for texts in shown for text, after in pairwise(texts))
    final = sum(len(texts[-1]) for texts in shown)
    return Stability(partials, changed / partials, taken, taken / final if final else float(taken))


def withdrawn(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words of a text are not where they were in a later one."""
    same = next(
        (
            place
            for place, (one, other) in enumerate(zip(before, after, strict=False))
            if one != other
        ),
        min(len(before), len(after)),
    )
    grew = same == len(before) - 1 and same < len(after) and after[same].startswith(before[same])
    return 0 if grew else len(before) - same


def _texts(heard: Heard) -> list[str]:
    return [text for _, text in heard.partials] + [heard.hypothesis]
