"""All tables of a report, as text; Markdown, LaTeX and the page show the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..scoring import Score
from ..scoring.breakdown import Part
from ..scoring.comparison import Comparison
from ..scoring.distribution import Distribution
from ..scoring.intervals import FEWEST_SPEAKERS
from ..scoring.paired import Difference
from .figures import (
    NOTHING,
    count,
    delay,
    minutes,
    ms,
    ms_interval,
    percent,
    percent_interval,
    signed,
)

_Known = TypeVar("_Known")


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: what it is about.
        headings: of the columns; the first column names the row.
        rows: as many cells each.
        note: what one has to know to read it.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def of_runs(scores: Sequence[Score]) -> list[Table]:
    """One row for each run; tables of which nothing is known are left out."""
    made = [accuracy(scores), latency(scores), inventions(scores), writing(scores), times(scores)]
    return [table for table in made if table.rows]


def of_parts(score: Score) -> Iterator[Table]:
    """A run by length of the utterance and by speaker."""
    yield _parts(score, "length", score.lengths)
    if score.speakers:
        yield _parts(score, "speaker", score.speakers)


def name(score: Score) -> str:
    """Of a run: its label and what it heard."""
    run = score.run
    told = delay(run.delay_ms) if run.delay_ms is not None else "no delay told"
    return f"{run.label}, {run.dataset} {run.split}, {told}, {run.way}"


def accuracy(scores: Sequence[Score]) -> Table:
    """Error rates."""
    headings = _cells(
        "run; rate; %; 95 % interval; drawn; errors; units; substituted; deleted; "
        "inserted; utterances; failed; minutes; normaliser"
    )
    note = (
        "Pooled: errors of all utterances by all that was said in them. Units are words (WER) or "
        "characters without white space (CER). Intervals: bootstrap over speakers, or over "
        f"utterances where speakers are unknown or fewer than {FEWEST_SPEAKERS}. Failed utterances "
        "have no transcript and count as nothing heard."
    )
    return Table("Accuracy", headings, [_accuracy(one) for one in scores], note)


def _accuracy(score: Score) -> tuple[str, ...]:
    counts, rate = score.total.counts, score.total.rate
    return (
        name(score),
        score.run.metric.upper(),
        percent(counts.rate),
        percent_interval(rate),
        f"{count(score.by.count)} {score.by.by}",
        count(counts.errors),
        count(counts.units),
        count(counts.substitutions),
        count(counts.deletions),
        count(counts.insertions),
        count(score.total.utterances),
        count(score.failed),
        minutes(score.total.minutes),
        score.run.normaliser,
    )


def latency(scores: Sequence[Score]) -> Table:
    """Latencies in milliseconds."""
    headings = _cells(
        "run; words; median; 95 % interval; 90 %; 95 %; 99 %; largest; by reference; "
        "first word, median; final, median; final, 95 %"
    )
    note = (
        "In milliseconds. Of words, at the speed of speech alone: from the end of the word in the "
        "audio to when it was first shown; by reference: share of words whose end the reference "
        "says, in percent, the others' the server. First word: from the first audio, silence "
        "before it included. Final: from the end of the audio to the final transcript; of files, "
        "from request to answer."
    )
    known = [one for one in scores if one.latency.words or one.latency.final]
    return Table("Latency", headings, [_latency(one) for one in known], note)


def _latency(score: Score) -> tuple[str, ...]:
    found = score.latency
    words = found.words
    return (
        name(score),
        count(words.count if words else 0),
        *_points(words, "p50"),
        ms_interval(found.median),
        *_points(words, "p90", "p95", "p99", "largest"),
        percent(found.by_reference) if words else NOTHING,
        *_points(found.first_word, "p50"),
        *_points(found.final, "p50", "p95"),
    )


def inventions(scores: Sequence[Score]) -> Table:
    """Words where nothing was said, none over speech, words taken back."""
    headings = _cells(
        "run; minutes without speech; units heard there; a minute; most inserted in a "
        "row; nothing heard; longest blank, s; blank by; partials changed, %; words taken "
        "back, %"
    )
    note = (
        "Minutes of utterances whose reference is empty. Nothing heard: utterances with words. "
        "Blank: the longest time without a word over speech, by the reference's times where it has "
        "them, else between words, pauses included. Partials changed: shown texts of which the "
        "final transcript has not every word; taken back: by words of the final transcripts."
    )
    return Table("Stability and hallucination", headings, [_inventions(s) for s in scores], note)


def _inventions(score: Score) -> tuple[str, ...]:
    found, stable = score.hallucination, score.stability
    blank = found.blank
    return (
        name(score),
        minutes(found.empty_minutes),
        count(found.words),
        NOTHING if found.per_minute is None else f"{found.per_minute:.2f}",
        count(found.run),
        count(found.unheard),
        f"{blank.seconds:.2f}" if blank else NOTHING,
        ("reference" if blank.by_reference else "words") if blank else NOTHING,
        percent(_of(stable, lambda known: known.changed)),
        percent(_of(stable, lambda known: known.per_word)),
    )


def writing(scores: Sequence[Score]) -> Table:
    """Punctuation and case."""
    headings = _cells(
        "run; F1, %; error rate, %; marks; same; substituted; deleted; inserted; case, %; "
        "words with case"
    )
    note = "On texts as they are, after and in words that were heard as they were said."
    known = [one for one in scores if one.punctuation.said or one.punctuation.cased]
    return Table("Punctuation and case", headings, [_writing(one) for one in known], note)


def _writing(score: Score) -> tuple[str, ...]:
    found = score.punctuation
    marks = (found.said, found.same, found.substituted, found.deleted, found.inserted)
    return (
        name(score),
        percent(found.f1),
        percent(found.error_rate),
        *(count(one) for one in marks),
        percent(found.case_accuracy),
        count(found.cased),
    )


def times(scores: Sequence[Score]) -> Table:
    """Errors of words' times."""
    headings = _cells(
        "run; ends; median; 90 %; 95 %; largest; mean, signed; starts; median; 90 %; 95 "
        "%; largest; words matched, %"
    )
    note = "Distances in milliseconds, of words that were heard as they were said."
    rows = [
        (
            name(one),
            *_distances(one.times.end),
            ms(one.times.end_bias),
            *_distances(one.times.start),
            percent(one.times.matched),
        )
        for one in scores
        if one.times
    ]
    return Table("Times of words", headings, rows, note)


def _distances(found: Distribution | None) -> tuple[str, ...]:
    return count(found.count if found else 0), *_points(found, "p50", "p90", "p95", "largest")


def _points(found: Distribution | None, *names: str) -> tuple[str, ...]:
    return tuple(ms(getattr(found, name) if found else None) for name in names)


def _cells(headings: str) -> list[str]:
    return headings.split("; ")


def comparison(run: Score, base: Score, found: Comparison) -> Table:
    """A run less a base."""
    rate = run.run.metric.upper()
    rows = [_difference(f"{rate}, %", found.accuracy, percent, signed)]
    late = [("mean latency of words, ms", found.words), ("mean time to final, ms", found.final)]
    rows += [_difference(what, known, ms, _signed_ms) for what, known in late if known]
    headings = ("measure", "run", "base", "difference", "95 % interval", "p", "drawn")
    note = "Interval: paired bootstrap; p: approximate randomisation, two-sided."
    return Table(f"{name(run)} against {name(base)}", headings, rows, note)


def _difference(
    what: str, by: Difference, plain: Callable[[float], str], sign: Callable[[float], str]
) -> tuple[str, ...]:
    ends = f"{sign(by.low)} to {sign(by.high)}"
    drawn = f"{count(by.groups)} {by.by}"
    return what, plain(by.run), plain(by.base), sign(by.value), ends, f"{by.p:.4f}", drawn


def _parts(score: Score, kind: str, parts: Sequence[Part]) -> Table:
    headings = _cells(
        f"{kind}; %; 95 % interval; errors; units; substituted; deleted; inserted; utterances; "
        "minutes"
    )
    rows = [
        (
            part.name or "unknown",
            percent(part.counts.rate),
            percent_interval(part.rate),
            count(part.counts.errors),
            count(part.counts.units),
            count(part.counts.substitutions),
            count(part.counts.deletions),
            count(part.counts.insertions),
            count(part.utterances),
            minutes(part.minutes),
        )
        for part in parts
    ]
    return Table(f"By {kind}: {name(score)}", headings, rows)


def _of(known: _Known | None, figure: Callable[[_Known], float]) -> float | None:
    return None if known is None else figure(known)


def _signed_ms(seconds: float) -> str:
    return f"{seconds * 1000:+,.0f}"
