"""Where what was heard live is not what was heard of the file, at the same delay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..scoring import Score
from .figures import count
from .tables import Table, name


def differences(scores: Sequence[Score]) -> list[Table]:
    """One table for each live run that has a run of files beside it; all utterances that differ."""
    return [_table(live, file) for live, file in _pairs(scores)]


def _pairs(scores: Sequence[Score]) -> Iterator[tuple[Score, Score]]:
    files = {_key(score): score for score in scores if score.run.way == "file"}
    for score in scores:
        if score.run.way != "file" and _key(score) in files:
            yield score, files[_key(score)]


def _key(score: Score) -> tuple[object, ...]:
    run = score.run
    return run.dataset, run.split, run.revision, run.model, run.label, run.delay_ms


def _table(live: Score, file: Score) -> Table:
    there = {one.heard.id: one.heard for one in file.utterances}
    both = [(one.heard, there[one.heard.id]) for one in live.utterances if one.heard.id in there]
    rows = [
        (here.id, _shown(here.hypothesis, here.error), _shown(of_file.hypothesis, of_file.error))
        for here, of_file in both
        if here.hypothesis.split() != of_file.hypothesis.split() or here.error or of_file.error
    ]
    note = (
        f"{count(len(rows))} of {count(len(both))} utterances that are in both runs differ. Texts "
        "are as they were heard, white space aside."
    )
    return Table(f"Live and file: {name(live)}", ("utterance", "live", "file"), rows, note)


def _shown(hypothesis: str, error: str) -> str:
    return f"(error: {error})" if error else hypothesis or "(nothing)"
