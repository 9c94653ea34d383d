import pytest

from voxtide_server import formats
from voxtide_server.events import Completed, Segment, Word

RESULT = Completed(
    turn="t",
    text="one two three",
    segments=(
        Segment(0, "one two", (Word("one", 0.5, 0.84), Word("two", 0.84, 1.2)), (10, 11)),
        Segment(1, "three", (Word("three", 3599.5, 3661.0025),), (12,)),
    ),
    start=0.0,
    end=3662.0,
    prompt_tokens=39,
    completion_tokens=100,
)
SILENCE = Completed("t", "", (), 0.0, 2.0, 39, 40)


def test_json_holds_text_and_usage() -> None:
    body = formats.as_json(RESULT, None, set())
    assert body == {"text": "one two three", "usage": {"type": "duration", "seconds": 3662.0}}


def test_verbose_json_has_segments_and_words_on_request() -> None:
    body = formats.as_verbose_json(RESULT, "en", {"word"})
    assert (body["task"], body["language"], body["duration"]) == ("transcribe", "en", 3662.0)
    assert [s["text"] for s in body["segments"]] == ["one two", "three"]
    assert body["segments"][0]["tokens"] == [10, 11]
    assert body["words"][0] == {"word": "one", "start": 0.5, "end": 0.84}
    assert "words" not in formats.as_verbose_json(RESULT, "en", {"segment"})


def test_srt() -> None:
    assert formats.as_srt(RESULT) == (
        "1\n00:00:00,500 --> 00:00:01,200\none two\n\n2\n00:59:59,500 --> 01:01:01,002\nthree\n"
    )


def test_vtt() -> None:
    assert formats.as_vtt(RESULT) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.200\none two\n\n00:59:59.500 --> 01:01:01.002\nthree\n"
    )


@pytest.mark.parametrize(
    ("write", "expected"),
    [(formats.as_text, "\n"), (formats.as_srt, ""), (formats.as_vtt, "WEBVTT\n")],
)
def test_silence_is_an_empty_document(write: object, expected: str) -> None:
    assert write(SILENCE) == expected  # type: ignore[operator]
