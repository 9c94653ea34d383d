"""How late words are shown, in seconds; nothing of it is estimated.

The latency of a word is the time from its end in the audio to when it was first shown. Its end is
that of the same word in the reference where the reference has times, and what the server itself
says elsewhere: a server that says too late an end looks fast there, so how many words are of which
kind is told; words with neither are left out. It is known of runs at the speed of speech alone:
audio that is sent at once has not been spoken when it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..manifest import Heard
from .distribution import Distribution, distribution
from .intervals import Groups, Interval, quantile
from .times import Matches, heard_words


@dataclass(frozen=True)
class Late:
    """Latencies of an utterance's words.

    Attributes:
        seconds: of each word, in order.
        by_reference: how many of them count from the reference's end of the word.
    """

    seconds: tuple[float, ...] = ()
    by_reference: int = 0


@dataclass(frozen=True)
class Latency:
    """Latencies of a run, in seconds.

    Attributes:
        words: of words; None where the run was not at the speed of speech or has no times.
        median: of words, with its interval.
        p95: of words, 95th percentile with its interval.
        by_reference: share of words, from 0 to 1, that count from the reference's end.
        first_word: from the first audio to the first word, silence before it included.
        final: from the end of the audio to the final transcript; of files from request to answer.
    """

    words: Distribution | None
    median: Interval | None
    p95: Interval | None
    by_reference: float
    first_word: Distribution | None
    final: Distribution | None


def latency(heard: Sequence[Heard], late: Sequence[Late], by: Groups) -> Latency:
    """Sum up.

    Args:
        heard: utterances.
        late: latencies of each utterance's words.
        by: groups of the utterances.
    """
    seconds = [second for one in late for second in one.seconds]
    owners = [place for place, one in enumerate(late) for _ in one.seconds]
    counted = sum(one.by_reference for one in late)
    return Latency(
        distribution(seconds),
        quantile(seconds, owners, 0.5, by) if seconds else None,
        quantile(seconds, owners, 0.95, by) if seconds else None,
        counted / len(seconds) if seconds else 0.0,
        distribution([one.first_word_s for one in heard if one.first_word_s is not None]),
        distribution([one.final_s for one in heard if one.final_s is not None]),
    )


def late(heard: Heard, matches: Matches, way: str) -> Late:
    """Latencies of an utterance's words.

    Args:
        heard: the utterance.
        matches: its words that are in the reference too, with times.
        way: of the run.
    """
    if way != "realtime" or len(heard.emitted) != len(heard_words(heard)):
        return Late()
    said = {came: heard.reference_words[place].end for place, came in matches}
    ends = {place: word.end for place, word in enumerate(heard.words)} | said
    seconds = tuple(at - ends[place] for place, at in enumerate(heard.emitted) if place in ends)
    return Late(seconds, len(said))
