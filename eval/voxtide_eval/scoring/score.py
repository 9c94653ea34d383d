"""All measures of a run, from its manifest alone.

Error rates are pooled: errors of all utterances by units of all references, not the mean of the
utterances' rates. Words that were heard where nothing was said are errors too (insertions). An
utterance without a transcript counts as one in which nothing was heard; how many there are is told
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..manifest import Heard, Manifest, Run
from ..normalise import NORMALISERS
from .alignment import Alignment, Counts, Normalise, align, units
from .breakdown import Part, by_length, by_speaker, part
from .hallucination import Hallucination, hallucination
from .intervals import Groups, groups
from .latency import Late, Latency, late, latency
from .punctuation import Punctuation, punctuation
from .stability import Stability, stability
from .times import Times, matches, times


class ScoreError(ValueError):
    """A manifest cannot be scored; the message says why."""


@dataclass(frozen=True)
class Scored:
    """An utterance beside what was said in it.

    Attributes:
        heard: the utterance.
        aligned: normalised units that were said and heard.
        late: latencies of its words.
    """

    heard: Heard
    aligned: Alignment
    late: Late

    @property
    def counts(self) -> Counts:
        """Of its edits."""
        return self.aligned.counts


@dataclass(frozen=True)
class Score:
    """What a run is worth.

    Attributes:
        run: what was run.
        utterances: all of it, in the dataset's order.
        by: how utterances are drawn for intervals.
        total: the whole run, pooled.
        failed: utterances without a transcript.
        speakers: by speaker; empty where none is known.
        lengths: by length of the utterance.
        hallucination: words on silence, none over speech.
        stability: of partial transcripts; None where there are none.
        punctuation: and case.
        times: errors of words' times; None where the references have none.
        latency: of words and final transcripts.
    """

    run: Run
    utterances: tuple[Scored, ...]
    by: Groups
    total: Part
    failed: int
    speakers: tuple[Part, ...]
    lengths: tuple[Part, ...]
    hallucination: Hallucination
    stability: Stability | None
    punctuation: Punctuation
    times: Times | None
    latency: Latency


def score(manifest: Manifest) -> Score:
    """Score a run.

    Raises:
        ScoreError: its metric or normaliser is not known, or an id comes twice.
    """
    run, heard = manifest.run, [_as_scored(one) for one in manifest.heard]
    normalise = _checked(run, heard)
    aligned = aligned_of(heard, run.metric, normalise)
    matched = matches(heard, normalise)
    lates = [late(one, found, run.way) for one, found in zip(heard, matched, strict=True)]
    counts = [one.counts for one in aligned]
    by = groups([one.speaker for one in heard])
    return Score(
        run=run,
        utterances=tuple(map(Scored, heard, aligned, lates)),
        by=by,
        total=part("all", heard, counts, by),
        failed=sum(bool(one.error) for one in heard),
        speakers=by_speaker(heard, counts) if any(one.speaker for one in heard) else (),
        lengths=by_length(heard, counts),
        hallucination=hallucination(heard, aligned),
        stability=stability(heard, run.metric),
        punctuation=punctuation(heard, run.metric),
        times=times(heard, matched),
        latency=latency(heard, lates, by),
    )


def aligned_of(heard: Sequence[Heard], metric: str, normalise: Normalise) -> list[Alignment]:
    """Normalised units of each utterance, side by side."""
    return align(
        [units(normalise(one.reference), metric) for one in heard],
        [units(normalise(one.hypothesis), metric) for one in heard],
    )


def as_dict(score: Score) -> dict[str, Any]:
    """All but the utterances, for JSON; rates from 0 on, times in seconds."""
    figures = asdict(replace(score, utterances=(), by=Groups(score.by.of[:0], 0, score.by.by)))
    del figures["utterances"], figures["by"]
    marks = score.punctuation
    figures["punctuation"] |= {
        "error_rate": marks.error_rate,
        "f1": marks.f1,
        "case_accuracy": marks.case_accuracy,
    }
    return figures


def _as_scored(heard: Heard) -> Heard:
    """An utterance with an error has no transcript, whatever came before the error."""
    return replace(heard, hypothesis="", words=(), emitted=()) if heard.error else heard


def _checked(run: Run, heard: Sequence[Heard]) -> Normalise:
    if run.metric not in ("wer", "cer"):
        raise ScoreError(f"the metric is {run.metric!r}; known are wer and cer")
    if run.normaliser not in NORMALISERS:
        known = ", ".join(sorted(NORMALISERS))
        raise ScoreError(f"the normaliser is {run.normaliser!r}; known are {known}")
    if len({one.id for one in heard}) < len(heard):
        raise ScoreError("an utterance's id comes twice")
    return NORMALISERS[run.normaliser]
