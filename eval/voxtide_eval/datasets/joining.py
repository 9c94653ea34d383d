"""Long audio out of short: utterances of one speaker, one after the other."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from ..manifest import Word
from .audio import Joined
from .definition import Dataset, Source, Utterance


@dataclass(frozen=True)
class Long:
    """Neighbouring utterances of a speaker, joined with silence between.

    How many there are is known only when all of them have been looked at.

    Args:
        of: where the utterances come from.
        seconds: after which another one begins; the last one of a speaker may be shorter.
        gap_s: silence between two, in seconds.
    """

    of: Source
    seconds: float = 600.0
    gap_s: float = 0.5

    @property
    def revision(self) -> str:
        return self.of.revision

    def count(self, dataset: Dataset, split: str) -> int:
        return sum(1 for _ in self._groups(dataset, split))

    def utterances(
        self, dataset: Dataset, split: str, only: Container[int] | None
    ) -> Iterator[Utterance]:
        for position, group in enumerate(self._groups(dataset, split)):
            if only is None or position in only:
                yield joined(group, self.gap_s)

    def _groups(self, dataset: Dataset, split: str) -> Iterator[list[Utterance]]:
        group: list[Utterance] = []
        length = 0.0
        for utterance in self.of.utterances(dataset, split, None):
            if group and (length >= self.seconds or utterance.speaker != group[0].speaker):
                yield group
                group, length = [], 0.0
            group.append(utterance)
            length += utterance.seconds + self.gap_s
        if group:
            yield group


def joined(parts: Sequence[Utterance], gap_s: float) -> Utterance:
    """Utterances as one, with so many seconds of silence between.

    The one has words with times if every part has them that has something said in it.
    """
    first = parts[0]
    words: list[Word] = []
    at = 0.0
    for part in parts:
        words += [Word(word.text, word.start + at, word.end + at) for word in part.words]
        at += part.seconds + gap_s
    timed = all(part.words or not part.reference for part in parts)
    return Utterance(
        id=first.id if len(parts) == 1 else f"{first.id}+{len(parts) - 1}",
        reference=" ".join(part.reference for part in parts if part.reference),
        language=first.language,
        speaker=first.speaker,
        seconds=at - gap_s,
        words=tuple(words) if timed else (),
        audio=Joined([part.audio for part in parts], gap_s),
    )
