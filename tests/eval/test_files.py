"""Utterances through a file endpoint that answers as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client import fakes
from voxtide import AsyncClient, OverloadedError, ProtocolError, RejectedError
from voxtide_eval.datasets.definition import Utterance
from voxtide_eval.inference.files import File
from voxtide_eval.manifest import Word

from .utterances import utterance

Answer = Callable[[fakes.Form], fakes.Answer]


@pytest.fixture
def said(tmp_path: Path) -> Utterance:
    path = tmp_path / "u0.wav"
    path.write_bytes(b"RIFF and so on")
    return utterance("u0", "seven eight", path)


def ear(base_url: str) -> File:
    return File(AsyncClient(base_url, max_retries=0), "whisper", True)


def verbose(form: fakes.Form) -> fakes.Answer:
    words = [{"word": " seven", "start": 0.1, "end": 0.2}, {"word": "eight", "start": 1, "end": 2}]
    return 200, json.dumps({"text": " seven eight ", "words": words})


def only_json(form: fakes.Form) -> fakes.Answer:
    if dict(form.fields)["response_format"] == "json":
        return 200, json.dumps({"text": "seven eight"})
    error = {"message": "verbose_json is not supported", "code": "400"}
    return 400, json.dumps({"error": error})


async def test_words_are_asked_for_and_kept(said: Utterance) -> None:
    async with fakes.files(verbose) as fake:
        heard = await ear(fake.base_url)(said)
    (form,) = fake.forms
    assert form.content == b"RIFF and so on"
    assert form.filename == "u0.wav"
    assert ("response_format", "verbose_json") in form.fields
    assert ("timestamp_granularities[]", "word") in form.fields
    assert ("model", "whisper") in form.fields
    assert ("language", "en") in form.fields
    assert heard.hypothesis == "seven eight"
    assert heard.words == (Word("seven", 0.1, 0.2), Word("eight", 1.0, 2.0))
    assert (heard.partials, heard.emitted, heard.first_word_s) == ((), (), None)
    assert heard.final_s is not None
    assert heard.final_s > 0


async def test_a_server_without_words_is_asked_for_them_once(said: Utterance) -> None:
    async with fakes.files(only_json) as fake:
        hear = ear(fake.base_url)
        for _ in range(2):
            heard = await hear(said)
            assert (heard.hypothesis, heard.words) == ("seven eight", ())
    formats = [dict(form.fields)["response_format"] for form in fake.forms]
    assert formats == ["verbose_json", "json", "json"]


async def test_a_file_that_is_refused_either_way_does_not_count(
    said: Utterance,
) -> None:
    refused = json.dumps({"error": {"message": "no audio", "code": "invalid_audio_file"}})
    answers: list[Answer] = [lambda form: (400, refused)] * 2 + [verbose]
    async with fakes.files(lambda form: answers.pop(0)(form)) as fake:
        hear = ear(fake.base_url)
        with pytest.raises(RejectedError, match="no audio"):
            await hear(said)
        heard = await hear(said)
    assert len(heard.words) == 2


async def test_words_in_segments(said: Utterance) -> None:
    word = {"word": "seven", "start": 0.1, "end": 0.2}
    answer = json.dumps({"text": "seven", "segments": [{"words": [word]}, {"words": None}]})
    async with fakes.files(lambda form: (200, answer)) as fake:
        heard = await ear(fake.base_url)(said)
    assert heard.words == (Word("seven", 0.1, 0.2),)


@pytest.mark.parametrize(
    "answer", ["nonsense", "[]", '{"text": null}', '{"text": "a", "words": [{"word": "a"}]}']
)
async def test_an_answer_that_is_no_transcript(said: Utterance, answer: str) -> None:
    async with fakes.files(lambda form: (200, answer)) as fake:
        with pytest.raises(ProtocolError):
            await ear(fake.base_url)(said)


async def test_a_server_without_room_is_told_as_that(said: Utterance) -> None:
    async with fakes.files(lambda form: (503, "")) as fake:
        with pytest.raises(OverloadedError):
            await ear(fake.base_url)(said)
        assert len(fake.forms) == 1
