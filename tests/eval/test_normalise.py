"""Normalisers: pairs that others published, and the packages that the rules came from."""

from __future__ import annotations

import pytest

from voxtide_eval.normalise import NORMALISERS

basic = NORMALISERS["basic"]
whisper_basic = NORMALISERS["whisper-basic"]
characters = NORMALISERS["characters"]


def english(text: str) -> str:
    pytest.importorskip("whisper_normalizer")
    return NORMALISERS["leaderboard-en"](text)


# OpenAI's own tests of Whisper's normalisers (tests/test_normalizer.py there).
WHISPERS_PAIRS = [
    ("two", "2"),
    ("thirty one", "31"),
    ("five twenty four", "524"),
    ("nineteen ninety nine", "1999"),
    ("twenty nineteen", "2019"),
    ("two point five million", "2500000"),
    ("four point two billions", "4200000000s"),
    ("200 thousand dollars", "$200000"),
    ("£77 thousands", "£77000s"),
    ("two double o eight", "2008"),
    ("forty three thousand two hundred and sixty", "43260"),
    ("nineteen fifties", "1950s"),
    ("thirty three thousand and three hundred and thirty third", "33333rd"),
    ("august twenty sixth twenty twenty one", "august 26th 2021"),
    ("3 14", "3 14"),
    ("3 point 14", "3.14"),
    ("two point two five dollars", "$2.25"),
    ("seventy six per cent", "76%"),
    ("one triple oh one", "10001"),
    ("thirty two thousandth", "32000th"),
    ("minus 500", "-500"),
    ("two dollars and seventy cents", "$2.70"),
    ("$0.36", "¢36"),
    ("forty eight and a half dollars", "$48.5"),
    ("b747", "b 747"),
    ("10 th", "10th"),
    ("mobilisation", "mobilization"),
    ("Let's", "let us"),
    ("she's been like", "she has been like"),
    ("10mm", "10 mm"),
    (
        "Mr. Park visited Assoc. Prof. Kim Jr.",
        "mister park visited associate professor kim junior",
    ),
]


@pytest.mark.parametrize(("text", "plain"), WHISPERS_PAIRS)
def test_english_gives_what_whispers_tests_want(text: str, plain: str) -> None:
    assert english(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (
            "I'm a little teapot, short and stout. Tip me over and pour me out!",
            "i am a little teapot short and stout tip me over and pour me out",
        ),
        ("Uh, the colour [laughs] of it (aside) is, um, grey.", "the color of it is gray"),
        # What later releases of the package would say otherwise.
        ("the cause of it is kinda lost, dunno", "the cause of it is kinda lost dunno"),
    ],
)
def test_english_sentences(text: str, plain: str) -> None:
    assert english(text) == plain


def test_english_is_what_transformers_ships_too() -> None:
    """The class that the leaderboard's own began as; it has no table of spellings with it."""
    pytest.importorskip("whisper_normalizer")
    theirs = pytest.importorskip("transformers.models.whisper.english_normalizer")
    reference = theirs.EnglishTextNormalizer({})
    for text, _ in WHISPERS_PAIRS:
        if text != "mobilisation":
            assert english(text) == " ".join(reference(text).split())


def test_multilingual_drops_accents_and_punctuation() -> None:
    pytest.importorskip("whisper_normalizer")
    multilingual = NORMALISERS["leaderboard-ml"]
    assert multilingual("Où est l’élève ? (rires)") == "ou est l eleve"
    assert multilingual("Straße, Größe: 3,5 m") == "strasse grosse 3 5 m"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Où est l’élève ? (rires)", "où est l élève"),
        ("Die Straße ist 3,5 m breit.", "die straße ist 3 5 m breit"),
        ("¿Qué hora es, señor?", "qué hora es señor"),
        ("Ёлка — это [смех] дерево!", "ёлка это дерево"),
        ("مرحبا، كيف حالك؟", "مرحبا كيف حالك"),
        ("안녕하세요, 반갑습니다.", "안녕하세요 반갑습니다"),
        ("", ""),
    ],
)
def test_basic(text: str, plain: str) -> None:
    assert basic(text) == plain


# The strings of openai/whisper's pull request 2849 and whisper_normalizer's issue 25.
MARKED = [
    ("प्राचीन संस्कृतियों और जनजातियों", "प र च न स स क त य और जनज त य"),
    ("എന്റെ കമ്പ്യൂട്ടറിനു് എന്റെ ഭാഷ", "എന റ കമ പ യ ട ടറ ന എന റ ഭ ഷ"),
]


@pytest.mark.parametrize(("text", "shattered"), MARKED)
def test_indic_vowel_signs_survive_where_whisper_cuts_at_them(text: str, shattered: str) -> None:
    assert whisper_basic(text) == shattered
    assert basic(text) == text
    assert basic(f"({text}) {text}।") == text


def test_a_wrong_vowel_is_an_error_only_with_the_marks() -> None:
    """Without them another word has the same letters: the error would be counted as none."""
    said, heard = "की", "को"  # "of", "to"
    assert whisper_basic(said) == whisper_basic(heard)
    assert basic(said) != basic(heard)


@pytest.mark.parametrize(
    "text",
    [
        "I'm a little teapot, short and stout. Tip me over and pour me out!",
        "Où est (non!) l’élève ? <bruit> [x] ½ ﬁn",
        "(a [b) c] d",
        *(text for text, _ in MARKED),
    ],
)
def test_whisper_basic_is_whispers(text: str) -> None:
    theirs = pytest.importorskip("whisper_normalizer.basic").BasicTextNormalizer()
    assert whisper_basic(text) == " ".join(theirs(text).split())


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("今日は、いい 天気です。", "今日はいい天気です"),
        ("我 喜欢 Ｐｙｔｈｏｎ！", "我喜欢python"),
        ("안녕하세요, 반갑습니다.", "안녕하세요반갑습니다"),
        ("が", "が"),  # a letter and its mark are one character
    ],
)
def test_characters(text: str, plain: str) -> None:
    assert characters(text) == plain


def test_none_keeps_case_and_punctuation() -> None:
    assert NORMALISERS["none"]("  Hello,\n World! ") == "Hello, World!"


@pytest.mark.parametrize("name", [name for name in NORMALISERS if name != "leaderboard-en"])
@pytest.mark.parametrize("text", ["Hello, (x) World! ½", "Größe 3,5", MARKED[0][0], ""])
def test_twice_is_once(name: str, text: str) -> None:
    if name.startswith("leaderboard"):
        pytest.importorskip("whisper_normalizer")
    once = NORMALISERS[name](text)
    assert NORMALISERS[name](once) == once
    assert once == once.strip()
