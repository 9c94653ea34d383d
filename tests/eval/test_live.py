"""Utterances through a realtime endpoint that follows a script."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.client import fakes
from voxtide import AsyncClient, DisconnectedError, OverloadedError, VoxtideError
from voxtide_eval.datasets.definition import Utterance
from voxtide_eval.inference import live
from voxtide_eval.inference.live import Live
from voxtide_eval.manifest import Word

from .utterances import utterance

SECONDS = 0.5
SAMPLES = np.arange(round(SECONDS * 16_000), dtype=np.int16)
WORDS = [
    {"word": "seven", "start": 0.1, "end": 0.2},
    {"word": "eight", "start": 0.2, "end": 0.4},
]


@pytest.fixture
def said(tmp_path: Path) -> Utterance:
    path = tmp_path / "u0.flac"
    soundfile.write(path, SAMPLES, 16_000)
    return utterance("u0", "seven eight", path, SECONDS)


def ear(base_url: str, *, paced: bool = False, dialect: live.Dialect = "voxtide") -> Live:
    return Live(AsyncClient(base_url), dialect, "nano", paced, True)


async def script(talk: fakes.Talk) -> None:
    """Bring a word once a tenth of a second has come, and the rest at the end."""
    await talk.accept()
    await talk.audio_of(2 * 1_600)
    await talk.delta("item_1", " sev", 0.16)
    await talk.delta("item_1", "en", 0.16)
    await talk.commit()
    await asyncio.sleep(0.1)
    await talk.delta("item_1", " eight", 0.4)
    await asyncio.sleep(0.1)
    await talk.complete("item_1", "seven eight", words=WORDS, start=0.0, end=SECONDS)


async def test_all_that_was_sent_and_heard_is_in_it(said: Utterance) -> None:
    async with fakes.realtime(script) as fake:
        heard = await ear(fake.base_url)(said)
    assert fake.talks[0].audio == SAMPLES.astype("<i2").tobytes()
    assert fake.talks[0].settings["audio"]["input"]["transcription"] == {
        "model": "nano",
        "language": "en",
    }
    assert (heard.id, heard.seconds, heard.reference) == ("u0", SECONDS, "seven eight")
    assert (heard.speaker, heard.reference_words) == ("a voice", said.words)
    assert (heard.hypothesis, heard.error) == ("seven eight", "")
    assert heard.words == (Word("seven", 0.1, 0.2), Word("eight", 0.2, 0.4))
    assert [text for _, text in heard.partials] == ["sev", "seven", "seven eight"]
    (came, _), (whole, _), (later, _) = heard.partials
    assert heard.first_word_s == came
    assert heard.emitted == (whole, later)
    assert heard.final_s is not None
    assert heard.final_s >= 0.2


async def test_at_the_speed_of_speech_a_piece_is_sent_once_it_is_spoken(
    said: Utterance,
) -> None:
    loop = asyncio.get_running_loop()
    came: list[float] = []

    async def timed(talk: fakes.Talk) -> None:
        await talk.accept()
        while len(talk.audio) < 2 * len(SAMPLES):
            await talk.receive()
            came.append(loop.time())
        await talk.commit()
        ended = loop.time()
        await asyncio.sleep(0.1)
        await talk.complete("item_1", "", start=0.0, end=SECONDS)
        came.append(ended)

    async with fakes.realtime(timed) as fake:
        opened = loop.time()
        heard = await ear(fake.base_url, paced=True)(said)
    *pieces, ended = came
    assert len(pieces) == 7  # six of 80 ms, and what is left
    assert all(at - opened >= 0.08 * number for number, at in enumerate(pieces[:-1], 1))
    assert ended - opened >= SECONDS
    assert heard.final_s is not None
    assert heard.final_s >= 0.1
    assert heard.first_word_s is None


async def test_times_begin_when_the_first_sample_is_spoken(said: Utterance) -> None:
    """The server answers the first piece, which is sent 80 ms after that."""

    async def prompt(talk: fakes.Talk) -> None:
        await talk.accept()
        await asyncio.sleep(0)
        await talk.audio_of(2)
        await talk.delta("item_1", " seven", 0.08)
        await talk.commit()
        await talk.complete("item_1", "seven", words=WORDS[:1], start=0.0, end=SECONDS)

    async with fakes.realtime(prompt) as fake:
        heard = await ear(fake.base_url, paced=True)(said)
    assert heard.emitted[0] >= 0.08
    assert heard.first_word_s == heard.emitted[0]


async def test_of_long_utterances_no_partials_are_kept(
    said: Utterance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PARTIALS_UP_TO_S", SECONDS / 2)
    async with fakes.realtime(script) as fake:
        heard = await ear(fake.base_url)(said)
    assert heard.partials == ()
    assert len(heard.emitted) == 2


@pytest.mark.parametrize("dialect", ["openai", "mistral", "vllm"])
async def test_servers_that_tell_no_times(said: Utterance, dialect: live.Dialect) -> None:
    async def other(talk: fakes.Talk) -> None:
        await fakes.accept_in(talk, dialect)
        await fakes.tell(talk, dialect, delta=" seven")
        await fakes.until_commit(talk)
        await fakes.tell(talk, dialect, final="seven eight")

    async with fakes.realtime(other) as fake:
        heard = await ear(fake.base_url, dialect=dialect)(said)
    assert heard.hypothesis == "seven eight"
    assert heard.words == ()
    assert [text for _, text in heard.partials] == ["seven"]
    shown, final = heard.emitted
    assert heard.first_word_s == shown
    assert heard.final_s is not None
    assert final >= shown


async def test_a_server_that_ends_turns_by_itself(said: Utterance) -> None:
    async def twice(talk: fakes.Talk) -> None:
        await talk.accept()
        await talk.audio_of(2 * 1_600)
        await talk.delta("item_1", "seven")
        await talk.complete("item_1", "seven")
        await talk.commit()
        await talk.delta("item_2", "eight")
        await talk.complete("item_2", "eight")

    async with fakes.realtime(twice) as fake:
        heard = await ear(fake.base_url, dialect="openai")(said)
    assert heard.hypothesis == "seven eight"
    assert [text for _, text in heard.partials] == ["seven", "seven eight"]


async def test_an_error_is_raised_at_once(said: Utterance) -> None:
    async def failing(talk: fakes.Talk) -> None:
        await talk.accept()
        await talk.commit()
        error = {"code": "engine_failed", "message": "It was lost."}
        await talk.send("error", error=error)

    async with fakes.realtime(failing) as fake:
        with pytest.raises(VoxtideError, match="It was lost") as caught:
            await ear(fake.base_url)(said)
    assert caught.value.code == "engine_failed"


async def test_a_lost_connection_is_an_error_and_not_replaced(said: Utterance) -> None:
    async def lost(talk: fakes.Talk) -> None:
        await talk.accept()
        await talk.commit()
        talk.cut()

    async with fakes.realtime(lost) as fake:
        with pytest.raises(DisconnectedError):
            await ear(fake.base_url)(said)
        assert len(fake.talks) == 1


async def test_a_server_without_room_is_told_as_that(said: Utterance) -> None:
    async with fakes.realtime(script, refuse=(503, "full")) as fake:
        with pytest.raises(OverloadedError):
            await ear(fake.base_url)(said)


async def test_audio_that_is_not_there(said: Utterance, tmp_path: Path) -> None:
    gone = utterance("u1", "gone", tmp_path / "gone.flac")
    async with fakes.realtime(script) as fake:
        with pytest.raises(OSError, match=r"gone\.flac"):
            await ear(fake.base_url)(gone)
        assert fake.talks == []
