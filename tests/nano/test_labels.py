"""What the model is taught to say at each token, and how times are read back from it."""

import numpy as np

from nano.decoding import words_of
from nano.labels import generated_tokens, phone_frames, text_input
from nano.vocabulary import BOS, PAD, SILENCE, WORD_START, WORD_TOKEN, phones_of

SEVEN, TWO = WORD_TOKEN["seven"], WORD_TOKEN["two"]


def test_a_word_starts_in_the_frame_where_it_ends() -> None:
    tokens = generated_tokens([("seven", 0.25)], 8)
    assert tokens.tolist() == [PAD, PAD, PAD, WORD_START, SEVEN, PAD, PAD, PAD]


def test_words_that_end_close_together_queue() -> None:
    tokens = generated_tokens([("seven", 0.09), ("two", 0.17)], 6)
    assert tokens.tolist() == [PAD, WORD_START, SEVEN, WORD_START, TWO, PAD]


def test_a_word_that_does_not_fit_any_more_is_left_out_whole() -> None:
    assert generated_tokens([("seven", 0.25)], 4).tolist() == [PAD] * 4


def test_input_is_the_prompt_and_then_the_generated_tokens_one_step_later() -> None:
    generated = np.array([PAD, WORD_START, SEVEN])
    assert text_input(generated, 3).tolist() == [BOS, PAD, PAD, PAD, WORD_START]


def test_word_times_come_back_within_half_a_frame() -> None:
    words = [("seven", 0.61), ("two", 1.30)]
    found = words_of(generated_tokens(words, 30).tolist())
    assert [word.word for word in found] == ["seven", "two"]
    assert all(abs(w.end - end) <= 0.04 for w, (_, end) in zip(found, words, strict=True))


def test_phones_fill_their_word_and_only_that() -> None:
    frames = phone_frames([("two", 0.2, 0.6)], 50)
    assert set(frames[12:32]) == set(phones_of("two"))
    assert set(frames[:12]) | set(frames[32:]) == {SILENCE}
