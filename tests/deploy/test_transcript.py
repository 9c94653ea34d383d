import pytest

from voxtide_server.transcript import SEGMENT_PAUSE_S, Transcript

B, W = 0, 1


class Words:
    """Tokens from 2 on are the given pieces."""

    blank, word = B, W

    def __init__(self, *pieces: str | bytes) -> None:
        self._pieces = [p if isinstance(p, bytes) else p.encode() for p in pieces]

    def piece(self, token: int) -> bytes:
        return self._pieces[token - 2] if 2 <= token < 2 + len(self._pieces) else b""


def transcribe(vocabulary: Words, tokens: list[int]) -> Transcript:
    transcript = Transcript(vocabulary, 0.0)
    deltas = "".join(transcript.push(token, n * 0.08) for n, token in enumerate(tokens))
    transcript.close()
    assert deltas.strip() == transcript.text
    return transcript


def words(transcript: Transcript) -> list[tuple[str, float]]:
    return [(w.text, round(w.end, 3)) for s in transcript.segments for w in s.words]


def test_a_word_ends_in_the_middle_of_its_markers_frame() -> None:
    transcript = transcribe(Words(" seven"), [B] * 10 + [W, 2, B])
    assert words(transcript) == [("seven", 0.84)]
    assert transcript.text == "seven"


def test_words_under_one_marker_share_their_end() -> None:
    transcript = transcribe(Words(" is", " a"), [B] * 5 + [W, 2, 3, B])
    assert words(transcript) == [("is", 0.44), ("a", 0.44)]
    starts = [w.start for w in transcript.segments[0].words]
    assert starts == [pytest.approx(0.24)] * 2


def test_pieces_of_a_word_are_one_word() -> None:
    transcript = transcribe(Words(" thir", "teen"), [W, 2, 3, B])
    assert [text for text, _ in words(transcript)] == ["thirteen"]


def test_punctuation_under_its_own_marker_belongs_to_the_word_before() -> None:
    transcript = transcribe(Words(" stop", "."), [W, 2, B, B, W, 3])
    assert words(transcript) == [("stop.", 0.36)]


def test_logprobs_go_with_the_text_that_they_are_of() -> None:
    transcript = Transcript(Words(" caf", b"\xc3", b"\xa9", " au"), 0.0)
    told = []
    for number, token in enumerate([W, 2, 3, 4, B, W, 5, B]):
        if transcript.push(token, number * 0.08, -float(token)):
            told.append([(s.piece, s.logprob) for s in transcript.fresh_logprobs()])
    assert told == [[(b" caf", -2.0)], [(b"\xc3", -3.0), (b"\xa9", -4.0)], [(b" au", -5.0)]]
    segment = transcript.close()
    assert segment is not None
    assert [(s.piece, s.logprob) for s in segment.logprobs] == [s for some in told for s in some]


def test_logprobs_of_what_a_new_stream_says_again_are_told_once() -> None:
    transcript = Transcript(Words(" hel", "lo", " hal", b"\xe2\x82", b"\xac"), 0.0)

    def told(*tokens: int) -> list[bytes]:
        deltas: list[bytes] = []
        for token in tokens:
            if transcript.push(token, 1.0, -1.0):
                deltas += [scored.piece for scored in transcript.fresh_logprobs()]
        return deltas

    assert told(W, 2) == [b" hel"]
    transcript.resume()
    assert told(W, 2, 3, B) == [b"lo"]
    assert told(W, 2) == [b" hel"]
    transcript.resume()
    assert told(W, 4, B) == [b" hal"], "it was heard otherwise"
    assert told(W, 5) == []
    transcript.resume()
    assert told(W, 5, 6, B) == [b"\xe2\x82", b"\xac"]


def test_script_without_spaces_keeps_a_word_for_each_marker() -> None:
    transcript = transcribe(Words("你好", "世界", "。"), [W, 2, B, W, 3, 4])
    assert [text for text, _ in words(transcript)] == ["你好", "世界。"]
    assert transcript.text == "你好世界。"


def test_a_character_may_be_split_over_tokens() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert transcribe(Words(" caf", first, second), [W, 2, 3, 4]).text == "café"


def test_text_without_a_marker_takes_the_time_of_its_frame() -> None:
    transcript = transcribe(Words(" a", " b"), [W, 2, B, B, 3, B])
    assert words(transcript) == [("a", 0.04), ("b", 0.36)]


def test_control_tokens_say_nothing() -> None:
    assert transcribe(Words(" a"), [W, 2, 99, B]).text == "a"


def test_starts_follow_the_word_before_and_never_pass_the_end() -> None:
    transcript = transcribe(Words(" one", " two"), [B] * 20 + [W, 2, B, W, 3, B])
    one, two = transcript.segments[0].words
    assert one.start == pytest.approx(one.end - 0.24)  # 80 ms a character
    assert two.start == pytest.approx(one.end)  # but not before the word before ended


def test_a_pause_completes_a_segment_once() -> None:
    transcript = Transcript(Words(" one", " two"), 0.0)
    closed = []
    tokens = [W, 2] + [B] * 20 + [W, 3] + [B] * 20
    for n, token in enumerate(tokens):
        transcript.push(token, n * 0.08)
        if segment := transcript.pause((n + 1) * 0.08):
            closed.append((n, segment.text))
    frames = int(SEGMENT_PAUSE_S / 0.08)
    assert closed == [(frames, "one"), (22 + frames, "two")]
    assert transcript.text == "one two"
    assert transcript.close() is None


def test_a_new_stream_does_not_glue_words() -> None:
    transcript = Transcript(Words(" one", "two"), 0.0)
    transcript.push(W, 0.0)
    transcript.push(2, 0.08)
    transcript.resume()
    transcript.push(W, 5.0)
    assert transcript.push(3, 5.08) == " two"
    assert transcript.text == "one two"


def test_a_word_that_a_new_stream_says_again_is_not_returned_twice() -> None:
    transcript = Transcript(Words(" ten", " thir", "teen"), 0.0)
    streams = [[W, 2, B, W, 3], [W], [W, 3, 4, B]]  # the second says only its marker
    returned = ""
    for number, tokens in enumerate(streams):
        for place, token in enumerate(tokens):
            returned += transcript.push(token, number + 0.08 * place)
        if number < 2:
            transcript.resume()
    transcript.close()
    assert returned == " ten thirteen"
    assert words(transcript) == [("ten", 0.04), ("thirteen", 2.04)]


def test_a_word_that_a_new_stream_hears_otherwise_is_returned_as_it_is() -> None:
    transcript = Transcript(Words(" thir", " four", "teen"), 0.0)
    for token in (W, 2):
        transcript.push(token, 0.0)
    transcript.resume()
    returned = [transcript.push(token, 1.0) for token in (W, 3, B, W, 2, 4)]
    assert "".join(returned) == " four thirteen"


def test_what_is_said_later_is_returned_though_it_looks_like_the_rest_of_a_word() -> None:
    transcript = Transcript(Words("你好", "你", "好"), 0.0)
    for token in (W, 2):
        transcript.push(token, 0.0)
    transcript.resume()
    returned = [transcript.push(token, 1.0) for token in (W, 3, B, W, 4)]
    assert returned == ["", "", "", "", "好"]


def test_a_word_that_is_taken_back_has_not_ended() -> None:
    transcript = Transcript(Words(" one", " two"), 0.5)
    transcript.push(W, 1.0)
    assert transcript.settled_end == 0.5
    transcript.push(2, 1.08)
    transcript.push(B, 1.16)
    assert transcript.settled_end == transcript.last_end == pytest.approx(1.04)
    transcript.push(W, 2.0)
    assert transcript.settled_end == pytest.approx(1.04)
    transcript.resume()
    assert transcript.settled_end == transcript.last_end == pytest.approx(1.04)
    transcript.pause(5.0)  # completes the segment
    transcript.push(W, 6.0)
    assert transcript.settled_end == pytest.approx(1.04)


def test_scripts_that_write_spaces_keep_them_over_streams() -> None:
    for first, second in (("안녕", "반갑습니다"), ("दुनिया", "नमस्ते")):
        half = len(second[0].encode()) - 1  # a character that is split over two tokens
        pieces = [" " + first, second.encode()[:half], second.encode()[half:]]
        transcript = Transcript(Words(*pieces), 0.0)
        transcript.push(W, 0.0)
        transcript.push(2, 0.08)
        transcript.resume()
        for number, token in enumerate([W, 3, 4]):
            transcript.push(token, 5.0 + number * 0.08)
        assert transcript.text == f"{first} {second}"


def test_another_session_may_begin_between_words_that_are_well_apart() -> None:
    transcript = Transcript(Words(" one", " two", " three"), 0.0)
    gaps = []
    tokens = [B] * 10 + [W, 2, B, W, 3, B] + [B] * 9 + [W, 4, B] + [B] * 60
    for n, token in enumerate(tokens):
        transcript.push(token, n * 0.08)
        gaps.append(round(transcript.last_gap, 2))
    assert gaps[12] == pytest.approx((0.84 - 0.24) / 2), "before the first word"
    assert gaps[15] == gaps[12], "the second one follows at once"
    two, three = 13.5 * 0.08, 25.5 * 0.08
    assert gaps[27] == pytest.approx((two + three - 0.4) / 2, abs=0.01)
    assert gaps[34] == pytest.approx(three + 0.3, abs=0.01), "and a pause"
    assert gaps[-1] == pytest.approx(87 * 0.08 - 3.0, abs=0.1), "it goes on with the silence"


def test_the_padding_after_the_audio_is_no_gap_between_words() -> None:
    transcript = Transcript(Words(" one"), 0.0)
    for n, token in enumerate([B] * 8 + [W, 2]):
        transcript.push(token, n * 0.08)
    transcript.audio_end = 0.8  # perhaps in the middle of a word
    for n in range(10, 40):
        transcript.push(B, n * 0.08)
    assert transcript.last_gap < transcript.last_end


def test_nothing_said_is_no_segment() -> None:
    transcript = transcribe(Words(), [B] * 50)
    assert transcript.segments == []
    assert transcript.text == ""


def test_words_are_settled_once_wherever_their_ends_are_rounded() -> None:
    for frames in range(1, 600):
        transcript = Transcript(Words(" seven", " two"), 0.0)
        for number, token in enumerate([*[B] * frames, W, 2, B, B, B, W, 3, B]):
            transcript.push(token, number * 0.08)
        position = round((frames + 0.5) * 0.08 * 16_000) / 16_000
        assert [w.text for w in transcript.settle(position)] == ["seven"]
        assert transcript.settle(position) == ()
        transcript.close()
        assert [w.text for w in transcript.settle(position + 1)] == ["two"]


def test_the_rest_of_a_turn_begins_with_a_space_where_words_may_stand_before_it() -> None:
    for continued, expected in ((False, "seven"), (True, " seven")):
        transcript = Transcript(Words("seven"), 4.0, continued)
        assert [transcript.push(token, 4.0 + n * 0.08) for n, token in enumerate([W, 2])] == [
            "",
            expected,
        ]
        assert transcript.text == "seven"
