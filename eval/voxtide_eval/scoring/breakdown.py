"""Error rates by speaker and by length of the utterance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..manifest import Heard
from .alignment import Counts
from .intervals import Groups, Interval, groups, ratio

LENGTHS_S = (5, 10, 20, 30, 60, 300)
"""Upper ends of the classes of lengths, in seconds, the end included; above is one more."""


@dataclass(frozen=True)
class Part:
    """Some utterances of a run.

    Attributes:
        name: of the speaker or the class of lengths.
        utterances: how many.
        minutes: of audio.
        counts: of edits, pooled.
        rate: errors by units, with its interval; None: nothing was said.
    """

    name: str
    utterances: int
    minutes: float
    counts: Counts
    rate: Interval | None


def by_speaker(heard: Sequence[Heard], counts: Sequence[Counts]) -> tuple[Part, ...]:
    """Speakers by name; those of whom nothing is known are one, and come first."""
    return _parts(heard, counts, lambda one: (0, one.speaker))


def by_length(heard: Sequence[Heard], counts: Sequence[Counts]) -> tuple[Part, ...]:
    """Classes of lengths, the shortest first; those without an utterance are left out."""
    return _parts(heard, counts, lambda one: _class(one.seconds))


def part(name: str, heard: Sequence[Heard], counts: Sequence[Counts], by: Groups) -> Part:
    """Add up utterances."""
    rate = ratio([one.errors for one in counts], [one.units for one in counts], by)
    minutes = sum(one.seconds for one in heard) / 60
    return Part(name, len(heard), minutes, sum(counts, Counts()), rate)


def _parts(
    heard: Sequence[Heard], counts: Sequence[Counts], key: Callable[[Heard], tuple[int, str]]
) -> tuple[Part, ...]:
    found: dict[tuple[int, str], list[int]] = {}
    for place, one in enumerate(heard):
        found.setdefault(key(one), []).append(place)
    return tuple(_of(name, places, heard, counts) for (_, name), places in sorted(found.items()))


def _of(name: str, places: list[int], heard: Sequence[Heard], counts: Sequence[Counts]) -> Part:
    of_part = [heard[place] for place in places]
    by = groups([one.speaker for one in of_part])
    return part(name, of_part, [counts[place] for place in places], by)


def _class(seconds: float) -> tuple[int, str]:
    place = next((n for n, end in enumerate(LENGTHS_S) if seconds <= end), len(LENGTHS_S))
    if place == len(LENGTHS_S):
        return place, f"over {LENGTHS_S[-1]} s"
    return place, f"{(0, *LENGTHS_S)[place]}–{LENGTHS_S[place]} s"
