"""What the model shall say at each token of a stream."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nano.vocabulary import BOS, PAD, PHONES, SILENCE, WORD_START, WORD_TOKEN, phones_of

TOKEN_S: Final = 0.08
ENCODER_FRAME_S: Final = 0.02
# A causal encoder can name a sound only after having heard some of it.
_PHONE_LATENESS: Final = 2
_VOWEL_WEIGHT: Final = 1.7
_VOWELS: Final = frozenset(n for n, phone in enumerate(PHONES) if phone[0] in "AEIOU")


def generated_tokens(words: Sequence[tuple[str, float]], count: int) -> NDArray[np.int64]:
    """Tokens that a stream generates, ``count`` of them, for words and their ends in seconds.

    Token ``n`` stands for the audio frame ``n``, whatever the delay. A word that ends within frame
    ``n`` starts there with the word marker, and its own token follows; a word that ends while the
    one before it is still being written queues behind it.
    """
    tokens = np.full(count, PAD, np.int64)
    free = 0
    for word, end in words:
        place = max(int(end / TOKEN_S), free)
        if place + 1 >= count:
            break
        tokens[place : place + 2] = (WORD_START, WORD_TOKEN[word])
        free = place + 2
    return tokens


def text_input(generated: NDArray[np.int64], prompt: int) -> NDArray[np.int64]:
    """Input tokens of a stream: BOS and PADs, ``prompt`` in all, then what was generated."""
    head = np.full(prompt, PAD, np.int64)
    head[0] = BOS
    return np.concatenate((head, generated[:-1]))


def phone_frames(words: Sequence[tuple[str, float, float]], count: int) -> NDArray[np.int64]:
    """Phone number of each of ``count`` encoder frames, for words with (start, end) in seconds.

    A word's duration is shared out among its phones, vowels longer than consonants. That is rough,
    and good enough for an auxiliary loss.
    """
    frames = np.full(count, SILENCE, np.int64)
    for word, start, end in words:
        phones = phones_of(word)
        weights = np.array([_VOWEL_WEIGHT if phone in _VOWELS else 1.0 for phone in phones])
        edges = start + (end - start) * np.cumsum([0.0, *weights]) / weights.sum()
        places = np.round(edges / ENCODER_FRAME_S).astype(int) + _PHONE_LATENESS
        for phone, first, last in zip(phones, places, places[1:], strict=False):
            frames[first:last] = phone
    return frames
