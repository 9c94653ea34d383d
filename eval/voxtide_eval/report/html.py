"""The report as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voxtide_loadtest.report.page import Fact, details, figure, page, paragraph, section
from voxtide_loadtest.report.page import table as as_html

from ..scoring import Score
from . import plots, tables
from .alignments import CSS, views
from .audio import LONGEST_S, Room
from .averages import averages
from .curves import charts, series
from .differences import Differences, differences, view
from .figures import count, minutes, ms, percent, percent_interval
from .languages import by_language
from .published import beside
from .tables import Table

AUDIO_BYTES = 8_000_000
"""What all recordings of a page take together at the most."""
_OPEN = 3
"""Plots of one kind that are open at first."""


def html(title: str, scores: Sequence[Score], *, worst: int = 10) -> str:
    """The page.

    Args:
        title: of it.
        scores: runs, in the order in which tables show them; not empty.
        worst: utterances of each run that are shown word by word.
    """
    sections = [*_curves(scores), *_latencies(scores), *_languages(scores)]
    sections.append(section("All figures", *map(_shown, tables.of_runs(scores))))
    if said := beside(scores):
        sections.append(section("Beside what was published", *map(_shown, said)))
    sections += [*_differences(scores), *_parts(scores), *_worst(scores, worst)]
    return page(title, _lead(scores), _facts(scores), sections, CSS)


def _lead(scores: Sequence[Score]) -> str:
    best = min((one for one in scores if one.total.rate), key=_rate, default=None)
    if best is None:
        return "Nothing was said in these runs, so there is no error rate."
    return (
        f"{count(len(scores))} runs. The lowest error rate is {percent(_rate(best))} % "
        f"({percent_interval(best.total.rate)} %): {tables.name(best)}."
    )


def _rate(score: Score) -> float:
    return score.total.rate.value if score.total.rate else 0.0


def _facts(scores: Sequence[Score]) -> list[Fact]:
    said = [one for one in scores if one.total.rate]
    spread = f"{percent(min(map(_rate, said)))}–{percent(max(map(_rate, said)))} %" if said else "–"
    known = [one.latency.median.value for one in scores if one.latency.median]
    late = f"{ms(min(known))}–{ms(max(known))} ms" if known else "not known"
    failed = sum(one.failed for one in scores)
    return [
        Fact("Audio heard", f"{minutes(sum(one.total.minutes for one in scores))} min", "all runs"),
        Fact("Error rates", spread, "pooled over utterances"),
        Fact("Median latency of words", late, "from a word's end to when it is shown"),
        Fact("Without a transcript", count(failed), "utterances; they count as nothing heard"),
    ]


def _curves(scores: Sequence[Score]) -> Iterator[str]:
    caption = (
        "{}. Bars: 95 % intervals by bootstrap; points at one delay stand side by side. Hollow "
        "marks: published by others. Nothing is smoothed; lines only join what was measured."
    )
    shown = [*averages(scores), *charts(scores)]
    made = [figure(plots.curve(one), caption.format(one.title)) for one in shown]
    if made:
        yield section("Error rate against delay", *_first(made))


def _latencies(scores: Sequence[Score]) -> Iterator[str]:
    known: dict[str, list[Score]] = {}
    for one in scores:
        if one.latency.median and one.run.delay_ms:
            known.setdefault(f"{one.run.dataset} {one.run.split}", []).append(one)
    caption = "{}. From the end of a word in the audio to when it was first shown."
    made = [
        figure(plots.latency(title, series(runs)), caption.format(title))
        for title, runs in known.items()
    ]
    if made:
        yield section("Latency against delay", *_first(made))


def _languages(scores: Sequence[Score]) -> Iterator[str]:
    made = [
        figure(plots.bars(one), f"{one.title}. Bars: 95 % intervals by bootstrap.")
        for one in by_language(scores)
    ]
    if made:
        yield section("By language", *_first(made))


def _differences(scores: Sequence[Score]) -> Iterator[str]:
    if made := differences(scores):
        told = paragraph(
            "Every utterance of a live run whose transcript is not that of the file at the same "
            "delay. Above: of the file; below, underlined: heard live instead; struck out: not "
            "heard live."
        )
        heading = "Where live and file transcripts differ"
        yield section(heading, told, *map(_differing, made))


def _parts(scores: Sequence[Score]) -> Iterator[str]:
    made = [_shown(table) for one in scores for table in tables.of_parts(one)]
    yield section("By length and by speaker", details("Tables of all runs", *made))


def _worst(scores: Sequence[Score], most: int) -> Iterator[str]:
    if made := views(scores, most, Room(AUDIO_BYTES)):
        told = paragraph(
            f"Up to {count(most)} of each run, those with the most errors first, by normalised "
            "words. Above: what was said; below, underlined: what was heard instead; struck out: "
            f"not heard. Recordings are MP3, of up to {LONGEST_S} s each and "
            f"{AUDIO_BYTES // 1_000_000} MB together."
        )
        yield section("The worst utterances", told, *made)


def _first(figures: Sequence[str]) -> list[str]:
    more = figures[_OPEN:]
    return [*figures[:_OPEN], *([details(f"{count(len(more))} more", *more)] if more else [])]


def _differing(found: Differences) -> str:
    return view(found) if found.rows else paragraph(f"{tables.name(found.live)}: {found.told}")


def _shown(table: Table) -> str:
    return as_html(table.title, table.headings, table.rows, table.note)
