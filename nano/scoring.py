"""Word error rates and word time errors from one alignment."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nano.decoding import Word
from nano.manifest import Example


@dataclass
class Score:
    """Counts over a set of utterances; times in seconds."""

    utterances: int = 0
    exact: int = 0
    words: int = 0
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0
    time_errors: list[float] = field(default_factory=list)
    confusions: dict[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        return self.substituted + self.deleted + self.inserted

    @property
    def word_error_rate(self) -> float:
        """Errors per reference word; of a set without words, the number of words made up."""
        return self.errors / max(self.words, 1)

    @property
    def mean_time_error(self) -> float | None:
        """Mean absolute error of the ends of correct words."""
        count = len(self.time_errors)
        return sum(abs(error) for error in self.time_errors) / count if count else None

    def add(self, reference: Sequence[str], ends: Sequence[float], found: Sequence[Word]) -> None:
        """Score one utterance. ``ends`` is empty where the true times are not known."""
        self.utterances += 1
        self.words += len(reference)
        steps = alignment(reference, [word.word for word in found])
        self.exact += all(
            a is not None and b is not None and reference[a] == found[b].word for a, b in steps
        )
        for true, heard in steps:
            name = f"{'-' if true is None else reference[true]} > "
            name += "-" if heard is None else found[heard].word
            if true is None:
                self.inserted += 1
            elif heard is None:
                self.deleted += 1
            elif reference[true] != found[heard].word:
                self.substituted += 1
            else:
                if ends:
                    self.time_errors.append(found[heard].end - ends[true])
                continue
            self.confusions[name] = self.confusions.get(name, 0) + 1


def alignment(
    reference: Sequence[str], found: Sequence[str]
) -> list[tuple[int | None, int | None]]:
    """Pairs of places in ``reference`` and ``found`` with the fewest edits; None for a gap."""
    rows, columns = len(reference) + 1, len(found) + 1
    cost = [[row + column for column in range(columns)] for row in range(rows)]
    for row in range(1, rows):
        for column in range(1, columns):
            cost[row][column] = min(
                cost[row - 1][column - 1] + (reference[row - 1] != found[column - 1]),
                cost[row - 1][column] + 1,
                cost[row][column - 1] + 1,
            )
    pairs: list[tuple[int | None, int | None]] = []
    row, column = rows - 1, columns - 1
    while row or column:
        both = row and column
        if both and cost[row][column] == cost[row - 1][column - 1] + (
            reference[row - 1] != found[column - 1]
        ):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif row and cost[row][column] == cost[row - 1][column] + 1:
            row -= 1
            pairs.append((row, None))
        else:
            column -= 1
            pairs.append((None, column))
    return pairs[::-1]


def score(set_: Sequence[Example], found: Sequence[Sequence[Word]]) -> dict[str, Score]:
    """Scores by voice, and of all voices together under "all"."""
    scores: dict[str, Score] = {"all": Score()}
    for example, words in zip(set_, found, strict=True):
        for name in ("all", example.voice):
            scores.setdefault(name, Score()).add(example.words, example.ends, words)
    return scores
