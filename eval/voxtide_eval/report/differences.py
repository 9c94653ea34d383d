"""Where what was heard live is not what was heard of the file, at the same delay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from voxtide_loadtest.report.page import details

from ..manifest import Heard
from ..scoring import Score
from ..scoring.alignment import align
from .alignments import aligned_list
from .figures import count
from .tables import Table, name


@dataclass(frozen=True)
class Differences:
    """A live run beside the run of the same files.

    Attributes:
        live: the run at the realtime endpoint.
        both: how many utterances are in both.
        rows: every one that differs, as it was heard (live, of the file).
    """

    live: Score
    both: int
    rows: tuple[tuple[Heard, Heard], ...]

    @property
    def told(self) -> str:
        """How many, as a sentence."""
        return (
            f"{count(len(self.rows))} of {count(self.both)} utterances that are in both runs "
            "differ. Texts are as they were heard, white space aside; an error differs too."
        )


def differences(scores: Sequence[Score]) -> list[Differences]:
    """One for each live run that has a run of files of the same model and delay beside it."""
    files = {_key(score): score for score in scores if score.run.way == "file"}
    return [
        _compared(score, files[_key(score)])
        for score in scores
        if score.run.way != "file" and _key(score) in files
    ]


def table(found: Differences) -> Table:
    """As text."""
    rows = [(live.id, _text(live), _text(file)) for live, file in found.rows]
    title = f"Live and file: {name(found.live)}"
    return Table(title, ("utterance", "live", "file"), rows, found.told)


def view(found: Differences) -> str:
    """Word by word, what was heard of the file above and what was heard live below."""
    shown = "\n".join(_shown(live, file) for live, file in found.rows)
    return details(f"{name(found.live)}: {found.told}", shown)


def _key(score: Score) -> tuple[object, ...]:
    run = score.run
    return run.dataset, run.split, run.revision, run.model, run.label, run.delay_ms


def _compared(live: Score, file: Score) -> Differences:
    there = {one.heard.id: one.heard for one in file.utterances}
    both = [(one.heard, there[one.heard.id]) for one in live.utterances if one.heard.id in there]
    return Differences(live, len(both), tuple(_differing(both)))


def _differing(both: Sequence[tuple[Heard, Heard]]) -> Iterator[tuple[Heard, Heard]]:
    for live, file in both:
        if live.error or file.error or live.hypothesis.split() != file.hypothesis.split():
            yield live, file


def _shown(live: Heard, file: Heard) -> str:
    [aligned] = align([file.hypothesis.split()], [live.hypothesis.split()])
    errors = [
        f"<p>{escape(f'{way}: no transcript: {one.error}')}</p>"
        for way, one in (("live", live), ("file", file))
        if one.error
    ]
    parts = [f"<h3>{escape(live.id)}</h3>", *errors, aligned_list(aligned)]
    return '<article class="heard">\n' + "\n".join(parts) + "\n</article>"


def _text(heard: Heard) -> str:
    return f"(error: {heard.error})" if heard.error else heard.hypothesis or "(nothing)"
