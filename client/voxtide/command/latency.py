"""What the demo measures on a recording of known words, sent in real time.

All arrivals are seconds on the clock of the audio: 0 is when the first sample was spoken.

- Word error rate: substituted, deleted and inserted words for each word of the reference, with
  case and punctuation left out.
- Time to first word: from the start of speech to the arrival of the first text.
- Word latency: from the end of a word in the audio to the arrival of the text that completes it;
  the mean is over the words that were recognised.

Both include the up to 80 ms that a sample waits until its piece is full and sent.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ..captions import TimedWord
from .recording import Recording


@dataclass(frozen=True, slots=True)
class Measures:
    """Rates are fractions, times seconds; a time is None where there was no word to measure."""

    word_error_rate: float
    errors: int
    words_said: int
    words_matched: int
    time_to_first_word: float | None
    mean_word_latency: float | None


def measure(recording: Recording, words: Sequence[TimedWord]) -> Measures:
    """Compare the words that arrived with the words that were said."""
    said = _normalised(recording.text).split()
    heard = [(text, word) for word in words for text in _normalised(word.text).split()]
    import jiwer  # of the extra `demo`; the other commands do without

    output = jiwer.process_words(" ".join(said), " ".join(text for text, _ in heard))
    pairs = list(_matches(output))
    late = [heard[there][1].arrived - recording.word_ends[here] for here, there in pairs]
    first = min((word.arrived for word in words), default=None)
    return Measures(
        word_error_rate=output.wer,
        errors=output.substitutions + output.deletions + output.insertions,
        words_said=len(said),
        words_matched=len(pairs),
        time_to_first_word=None if first is None else first - recording.speech_start,
        mean_word_latency=fmean(late) if late else None,
    )


def _matches(output: Any) -> Iterator[tuple[int, int]]:
    """Positions (in the reference, in the hypothesis) of the words that were recognised."""
    for chunk in output.alignments[0]:
        if chunk.type == "equal":
            yield from zip(
                range(chunk.ref_start_idx, chunk.ref_end_idx),
                range(chunk.hyp_start_idx, chunk.hyp_end_idx),
                strict=True,
            )


def _normalised(text: str) -> str:
    return re.sub(r"[^\w\s']", " ", text.casefold())
