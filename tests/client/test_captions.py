"""Captions: each rule with a case, then all of them for any words and for ten minutes of speech."""

import ast
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtide import Word
from voxtide import captions as captions_package
from voxtide.captions import (
    Captioner,
    CaptionRules,
    Cue,
    LiveCaptions,
    SrtWriter,
    VttWriter,
    writer_for,
)
from voxtide.captions.text import width
from voxtide.events import Final, Partial, Resumed, Segment, ServerError

from .caption_rules import check, parsed_srt, parsed_vtt


def spoken(text, start=0.0, seconds=0.4):
    """Words one after the other, each as long as the other."""
    words = text.split()
    return [
        Word(word, round(start + n * seconds, 3), round(start + (n + 1) * seconds, 3))
        for n, word in enumerate(words)
    ]


def captioned(words, rules=None):
    captioner = Captioner(rules)
    cues = [cue for word in words for cue in captioner.add(word)] + captioner.end()
    check(cues, rules)
    return cues


def letters(cues):
    return "".join("".join(cue.text.split()) for cue in cues)


def lines(cues):
    return [list(cue.lines) for cue in cues]


# Each rule with a case


def test_a_short_text_is_one_line_from_its_first_word_to_its_last():
    assert captioned(spoken("one two three", 1.0)) == [Cue(1.0, 2.2, ("one two three",))]


def test_a_cue_is_shown_for_the_minimal_duration():
    assert captioned([Word("yes", 1.0, 1.2)]) == [Cue(1.0, 1.834, ("yes",))]


def test_fast_speech_is_shown_into_the_silence_until_it_can_be_read():
    (cue,) = captioned(spoken("a sentence that is said in no time", 1.0, 0.1))
    assert cue == Cue(1.0, 1.0 + 2.0, ("a sentence that is said in no time",))  # 34 at 17 a second


def test_the_next_cue_waits_until_the_one_before_has_been_read():
    first, second = captioned(
        spoken("a sentence that is said in no time.", 1.0, 0.1) + spoken("and more of it", 1.9)
    )
    assert first.end == pytest.approx(1.0 + 35 / 17, abs=0.001)
    assert second.start == pytest.approx(first.end + 0.084)


def test_late_captions_catch_up_in_a_pause():
    words = spoken("word " * 100, 0.0, 0.15) + spoken("on time again", 60.0)
    cues = captioned(words)
    assert cues[-2].end > words[99].end + 5
    assert cues[-1].start == 60.0


def test_slow_speech_is_cut_at_the_longest_duration():
    cues = captioned(spoken("seven eight nine ten eleven twelve", 0.0, 1.9))
    assert lines(cues) == [["seven eight nine"], ["ten eleven twelve"]]


def test_a_word_that_lasts_for_ever_is_shown_for_the_longest_duration():
    assert captioned([Word("ooooh", 1.0, 60.0)]) == [Cue(1.0, 8.0, ("ooooh",))]


def test_a_pause_ends_a_cue():
    cues = captioned(spoken("before it") + spoken("after it", 1.8))
    assert lines(cues) == [["before it"], ["after it"]]


def test_silence_ends_a_cue_when_it_is_a_pause():
    captioner = Captioner()
    assert captioner.add(Word("word", 0.0, 1.0)) == []
    assert captioner.advance(1.9) == []
    assert lines(captioner.advance(2.0)) == [["word"]]
    assert captioner.advance(9.0) == captioner.end() == []


def test_a_sentence_ends_a_cue_that_need_not_wait_for_the_minimal_duration():
    cues = captioned(spoken("Yes. This is a sentence. And this is one"))
    assert lines(cues) == [["Yes. This is a sentence."], ["And this is one"]]


BREAKS = {
    "after punctuation": (
        "nobody ever wanted to hear it, still someone said so",
        ["nobody ever wanted to hear it,", "still someone said so"],
    ),
    "before a conjunction": (
        "nobody in this house is awake but the cat is hungry",
        ["nobody in this house is awake", "but the cat is hungry"],
    ),
    "before a preposition": (
        "the old captain told stories under the big oak tree",
        ["the old captain told stories", "under the big oak tree"],
    ),
    "not after an article": (
        "eleven men wanted badly to see the enormous elephants",
        ["eleven men wanted badly", "to see the enormous elephants"],
    ),
    "as even as can be where nothing else decides, the first line shorter": (
        "seven eight nine seven eight nine seven eight nine",
        ["seven eight nine seven", "eight nine seven eight nine"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), BREAKS.values(), ids=BREAKS)
def test_lines_are_broken_at_a_sensible_place(text, expected):
    assert lines(captioned(spoken(text, 0.0, 0.3))) == [expected]


def test_a_full_cue_leaves_the_beginning_of_a_clause_to_the_next_one():
    text = (
        "seven eight nine seven eight nine seven, eight nine seven eight nine seven eight, "
        "and nine seven"
    )
    first, second = captioned(spoken(text, 0.0, 0.25))
    assert first.lines[-1].endswith("eight,")
    assert second.text == "and nine seven"


def test_a_word_wider_than_a_line_is_cut_and_not_spaced():
    word = "x" * 100
    cues = captioned([Word("an", 0.0, 0.2), Word(word, 0.2, 3.2), Word("end", 3.2, 3.4)])
    assert letters(cues) == f"an{word}end"
    assert " ".join(" ".join(cue.lines) for cue in cues).split().count("x" * 42) == 2


def test_wide_characters_count_as_two_and_a_half_and_have_no_spaces():
    words = [Word(char, n * 0.2, (n + 1) * 0.2) for n, char in enumerate("今天天气很好" * 8)]
    cues = captioned(words)
    assert letters(cues) == "今天天气很好" * 8
    assert " " not in "".join(cue.text for cue in cues)
    assert max(len(line) for cue in cues for line in cue.lines) == 16


def test_korean_keeps_its_spaces_and_marks_have_no_width():
    assert captioned([Word("안녕", 0, 1), Word("세계", 1, 2)])[0].text == "안녕 세계"
    assert width("नमस्ते") < len("नमस्ते")
    assert width("e\u0301") == 1


def test_a_rule_can_be_changed():
    rules = CaptionRules(max_lines=1, max_line=20, reading_speed=10)
    cues = captioned(spoken("one two three four five six seven eight", 0.0, 0.1), rules)
    assert lines(cues) == [["one two three four"], ["five six seven eight"]]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("reading_speed", 0),
        ("reading_speed", float("nan")),
        ("max_line", 2),
        ("max_lines", 3),
        ("min_duration", -1),
        ("max_duration", 3),
        ("gap", -0.1),
        ("pause", 0),
    ],
)
def test_rules_that_cannot_be_kept_are_refused_by_name(rule, value):
    with pytest.raises(ValueError, match=rule):
        replace(CaptionRules(), **{rule: value})


@pytest.mark.parametrize("times", [(-1, 0), (2, 1), (0, float("inf")), (float("nan"), 1)])
def test_words_with_impossible_times_are_refused(times):
    with pytest.raises(ValueError, match="0 <= start <= end"):
        Captioner().add(Word("word", *times))


# Any words whatever

WORDS = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
        | st.text("ab漢か。,.가", min_size=1, max_size=90)
        | st.sampled_from(["and", "the", "house,", "end.", "I", "—", "$7.50"]),
        st.floats(0, 3),
        st.floats(0, 12),
    ),
    max_size=60,
)


def laid_out(drawn):
    """Drawn (text, silence before, duration) as words; half of them without any silence."""
    words, now = [], 0.0
    for text, silence, duration in drawn:
        start = now + max(0.0, silence - 1.5)
        now = start + duration * duration / 12
        words.append(Word(text, start, now))
    return words


@given(WORDS, st.sampled_from([CaptionRules(), CaptionRules(max_lines=1, max_line=20)]))
def test_any_words_keep_all_rules_and_none_is_lost_or_doubled(drawn, rules):
    words = laid_out(drawn)
    cues = captioned(words, rules)
    visible = "".join(char for word in words for char in word.word if not char.isspace())
    kept = "".join(char for char in visible if char.isprintable() or char in "\u200c\u200d")
    assert letters(cues) == kept


@given(WORDS)
def test_a_cue_starts_with_its_first_word_or_as_soon_as_the_one_before_has_been_read(drawn):
    words = [word for word in laid_out(drawn) if word.word.isalpha() and width(word.word) <= 42]
    begins, at = {}, 0
    for word in words:
        begins[at] = word
        at += len(word.word)
    at, free = 0, 0.0
    for cue in captioned(words):
        assert cue.start == pytest.approx(max(begins[at].start, free), abs=0.0011)
        at += len("".join(cue.text.split()))
        free = cue.end + 0.084


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(10, 14))
def test_speech_slower_than_reading_is_never_late_by_more_than_two_cues(seed, speed):
    """Steady speech of less than 14 characters a second, whatever its words."""
    random_ = random.Random(seed)
    words, now = [], 0.0
    for _ in range(200):
        text = "x" * random_.randint(1, 12)
        words.append(Word(text, now, now := now + (len(text) + 1) / speed))
    starts = iter(words)
    for cue in captioned(words):
        first = next(starts)
        for _ in range(len(cue.text.split()) - 1):
            next(starts)
        assert cue.start - first.start < 2 * 85 / 17


@given(st.data())
def test_words_that_come_again_after_a_resume_are_not_doubled(data):
    words = spoken(" ".join(f"w{n}" for n in range(data.draw(st.integers(1, 60)))))
    captioner = Captioner()
    cues, heard = [], 0
    for _ in range(data.draw(st.integers(1, 4))):
        until = data.draw(st.integers(heard, len(words)))
        cues += [cue for word in words[heard:until] for cue in captioner.add(word)]
        dropped = data.draw(st.integers(0, until))
        captioner.withdraw(dropped)
        heard = until - dropped
    shift = data.draw(st.sampled_from([-0.08, 0.0, 0.08]))
    for word in words[heard:]:
        again = Word(word.word, max(0.0, word.start + shift), max(0.0, word.end + shift))
        cues += captioner.add(again)
    cues += captioner.end()
    check(cues)
    assert " ".join(cue.text for cue in cues).split() == [word.word for word in words]


# The events of a session


def taken(*events):
    captions = LiveCaptions()
    return [cue for event in events for cue in captions.take(event)] + captions.finish()


def test_pieces_of_words_become_cues_with_estimated_starts():
    (cue,) = taken(
        Partial(" se", 1.0, "t"),
        Partial("ven", 1.08, "t"),
        Partial(" eight", 1.9, "t"),
        Final("seven eight", "t", (Word("seven", 0.6, 1.08), Word("eight", 1.5, 1.9))),
    )
    # 5 characters of 80 ms each before 1.08 s.
    assert cue == Cue(0.68, 1.9, ("seven eight",))


def test_a_segment_ends_a_cue_and_the_word_that_was_open():
    captions = LiveCaptions()
    captions.take(Partial(" seven", 1.0, "t"))
    (cue,) = captions.take(Segment("s", "seven", 0.0, 1.0, turn="t"))
    assert cue.lines == ("seven",)
    assert captions.take(Final("seven", "t", (Word("seven", 0.5, 1.0),))) == []


def test_a_word_that_goes_on_after_a_segment_is_not_cut():
    captions = LiveCaptions()
    captions.take(Partial(" one", 1.0, "t"))
    captions.take(Partial(" tw", 3.0, "t"))
    captions.take(Segment("s", "one", 0.0, 1.0, turn="t"))
    captions.take(Partial("o", 3.08, "t"))
    (cue,) = captions.take(Final("one two", "t", (Word("one", 0, 1), Word("two", 2, 3.08))))
    assert cue.lines == ("two",)


def test_a_final_brings_what_no_partial_brought():
    words = (Word("seven", 0.5, 1.0), Word("eight", 1.0, 1.4), Word("nine", 1.4, 1.8))
    (cue,) = taken(Partial(" seven ei", 1.0, "t"), Final("seven eight nine", "t", words))
    assert cue.lines == ("seven eight nine",)


def test_turns_are_cues_of_their_own():
    cues = taken(
        Partial(" one", 1.0, "a"), Final("one", "a"), Partial(" two", 1.5, "b"), Final("two", "b")
    )
    assert lines(cues) == [["one"], ["two"]]


def test_a_turn_that_fails_leaves_what_was_said():
    cues = taken(
        Partial(" one", 1.0, "a"),
        ServerError("engine_failed", "Lost.", None, True, turn="a"),
        Partial(" two", 4.0, "b"),
        Final("two", "b"),
    )
    assert lines(cues) == [["one"], ["two"]]


def test_after_a_resume_words_that_stand_stay_and_dropped_ones_are_replaced():
    cues = taken(
        Partial(" one two thr", 1.0, "a"),
        Partial("ee", 1.2, "a"),
        Partial(" fo", 1.6, "a"),
        Resumed(at=0.9, turn="a", text=" one", lost=0.0),
        Partial(" to", 1.0, "a"),
        Partial(" three four", 1.7, "a"),
        Final("one to three four", "a"),
    )
    assert lines(cues) == [["one to three four"]]


def test_after_a_resume_words_that_are_out_are_not_doubled():
    captions = LiveCaptions()
    captions.take(Partial(" this is a whole sentence.", 2.0, "a"))
    out = captions.take(Partial(" and", 2.4, "a"))
    assert lines(out) == [["this is a whole sentence."]]
    captions.take(Resumed(at=0.5, turn="a", text="", lost=0.0))
    captions.take(Partial(" this is a whole sentence.", 2.0, "a"))
    captions.take(Partial(" and more", 2.48, "a"))
    assert lines(captions.finish()) == [["and more"]]


def test_a_server_that_tells_no_times_is_told_apart():
    with pytest.raises(ValueError, match="does not say where words end"):
        taken(Partial(" one", None, "a"))
    with pytest.raises(ValueError, match="does not say where words end"):
        taken(Final("one", "a"))


def test_chinese_and_japanese_have_words_without_spaces():
    cues = taken(
        Partial("今日は", 1.0, "a"), Partial("、いい天気", 2.0, "a"), Final("今日は、いい天気", "a")
    )
    assert lines(cues) == [["今日は、いい天気"]]


# Files


def test_webvtt_is_written_with_escapes():
    cue = Cue(3661.5, 3662.25, ("<i> & co.", "--> done"))
    assert VttWriter().text(cue) == (
        "01:01:01.500 --> 01:01:02.250\n&lt;i&gt; &amp; co.\n--&gt; done\n\n"
    )
    assert parsed_vtt(VttWriter.header + VttWriter().text(cue)) == [cue]


def test_subrip_is_numbered_and_has_no_arrow_in_its_text():
    writer = SrtWriter()
    cue = Cue(0.0, 1.0, ("a --> b",))
    assert writer.text(cue) == "1\n00:00:00,000 --> 00:00:01,000\na → b\n\n"
    assert writer.text(cue).startswith("2\n")


def test_the_suffix_says_the_format():
    assert isinstance(writer_for(".SRT"), SrtWriter)
    assert isinstance(writer_for(".vtt"), VttWriter)
    with pytest.raises(ValueError, match=r"\.srt or \.vtt, not \.txt"):
        writer_for(".txt")


@given(st.lists(st.text("abc &<>;é漢字가", min_size=1, max_size=30), max_size=20))
def test_webvtt_files_are_read_back_as_they_were(texts):
    cues = captioned(spoken(" ".join(texts)))
    writer = VttWriter()
    content = writer.header + "".join(map(writer.text, cues))
    assert parsed_vtt(content) == cues


def test_the_package_does_no_io_and_needs_no_other_package():
    imported = set()
    for path in Path(captions_package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module)
    assert imported <= {
        "collections.abc",
        "dataclasses",
        "functools",
        "html",
        "itertools",
        "math",
        "typing",
        "unicodedata",
    }


# Ten minutes

VOCABULARY = """
    and the of in is captions people speak, quickly slowly sometimes wonderful house. tree
    question? but because streaming river under over nothing, internationalisation
    yes. no. I a we they said told heard &c. <loud>
"""


def ten_minutes(seed):
    """Events of 600 s: turns and segments, at 8 to 30 characters a second, with pauses."""
    random_ = random.Random(seed)
    vocabulary = VOCABULARY.split()
    now, turn, words = 0.5, 0, []
    while now < 600:
        speed = random_.choice([8, 12, 14, 16, 30])
        segment = []
        for _ in range(random_.randint(1, 40)):
            text = random_.choice(vocabulary)
            begin, now = now, now + (len(text) + 1) / speed
            end = round(now / 0.08) * 0.08
            segment.append(Word(text, begin, end))
            middle = random_.randint(0, len(text))
            yield Partial(f" {text[:middle]}", end, f"t{turn}")
            yield Partial(text[middle:], end, f"t{turn}")
        words += segment
        said = " ".join(word.word for word in segment)
        yield Segment("s", said, segment[0].start, segment[-1].end, tuple(segment), f"t{turn}")
        if random_.random() < 0.3:
            whole = " ".join(word.word for word in words)
            yield Final(whole, f"t{turn}", tuple(words))
            turn, words = turn + 1, []
        now += random_.uniform(0.3, 4.0)


@pytest.mark.parametrize(
    ("writer", "parsed"),
    [(SrtWriter(), parsed_srt), (VttWriter(), parsed_vtt)],
    ids=["srt", "vtt"],
)
def test_ten_minutes_of_speech_are_a_valid_file_after_every_cue(writer, parsed):
    captions, content, cues, said = LiveCaptions(), writer.header, [], []
    assert parsed(content) == []
    for event in ten_minutes(seed=7):
        if isinstance(event, Segment):
            said += event.text.split()
        for cue in captions.take(event):
            cues.append(cue)
            content += writer.text(cue)
            assert len(parsed(content)) == len(cues)
    read = parsed(content)
    assert len(read) > 150
    check(read)
    if isinstance(writer, VttWriter):  # pysubs2 takes <loud> for a tag
        assert " ".join(cue.text for cue in read).split() == said
