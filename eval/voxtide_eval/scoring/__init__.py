"""What a run is worth, from its manifest alone.

alignment      what was said and what was heard, side by side
score          all measures of a run
intervals      how sure a figure is (bootstrap)
paired         whether two runs differ (paired bootstrap, approximate randomisation)
breakdown      word error rate by speaker and by length
hallucination  words where nothing was said, nothing where words were said
stability      words that were shown and taken back
punctuation    punctuation and case, apart from the words
times          how far off words' times are
latency        how late words are shown
"""

from .score import Score, score

__all__ = ["Score", "score"]
