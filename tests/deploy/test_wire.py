"""What every dialect promises, at the wire: one suite for all of them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection

from tests.fakes.app import App, serving
from tests.fakes.engine import LostStream, say, silence
from voxtide_server.config import Config
from voxtide_server.engine import Samples

ITEM = "conversation.item.input_audio_transcription"


@dataclass(frozen=True)
class Wire:
    """How a dialect says what all of them can say.

    Attributes:
        begin: messages that set a session up, with audio at 16 kHz.
        append: type of the message that brings audio.
        commit: that ends a turn.
        delta: type of new text, and the field that holds it.
        final: type of a final transcript, and the field that holds it.
    """

    path: str
    query: str
    begin: tuple[dict[str, Any], ...]
    append: str
    commit: dict[str, Any]
    delta: tuple[str, str]
    final: tuple[str, str]


OPENAI = Wire(
    path="/v1/realtime",
    query="?intent=transcription",
    begin=(
        {
            "type": "session.update",
            "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
        },
    ),
    append="input_audio_buffer.append",
    commit={"type": "input_audio_buffer.commit"},
    delta=(f"{ITEM}.delta", "delta"),
    final=(f"{ITEM}.completed", "transcript"),
)
MISTRAL = Wire(
    path="/v1/audio/transcriptions/realtime",
    query="?model=fake",
    begin=(),
    append="input_audio.append",
    commit={"type": "input_audio.flush"},
    delta=("transcription.text.delta", "text"),
    final=("transcription.done", "text"),
)
VLLM = Wire(
    path="/v1/realtime",
    query="",
    begin=(
        {"type": "session.update", "model": "fake"},
        {"type": "input_audio_buffer.commit", "final": False},
    ),
    append="input_audio_buffer.append",
    commit={"type": "input_audio_buffer.commit", "final": True},
    delta=("transcription.delta", "delta"),
    final=("transcription.done", "text"),
)


class Talk:
    """A session in one dialect; `finals` are the transcripts that came so far."""

    def __init__(self, wire: Wire, socket: ClientConnection) -> None:
        self.socket = socket
        self.finals: list[str] = []
        self._wire = wire

    async def say(self, *sounds: Samples) -> None:
        pcm = np.rint(np.concatenate(sounds) * 32768).astype("<i2").tobytes()
        audio = base64.b64encode(pcm).decode()
        await self.socket.send(json.dumps({"type": self._wire.append, "audio": audio}))

    async def commit(self) -> None:
        await self.socket.send(json.dumps(self._wire.commit))

    async def delta(self) -> str:
        """The next text."""
        kind, field = self._wire.delta
        return str((await self.until(kind))[field]).strip()

    async def final(self) -> str:
        """The next final transcript."""
        kind, field = self._wire.final
        return str((await self.until(kind))[field]).strip()

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["type"] == self._wire.final[0]:
                    self.finals.append(message[self._wire.final[1]].strip())
                if message["type"] == kind:
                    return message


@pytest.fixture(params=[OPENAI, MISTRAL, VLLM], ids=["openai", "mistral", "vllm"])
def wire(request: pytest.FixtureRequest) -> Wire:
    given: Wire = request.param
    return given


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with serving(Config()) as app:
        yield app


@asynccontextmanager
async def talking(app: App, wire: Wire) -> AsyncIterator[Talk]:
    async with app.connect(wire.query, wire.path) as socket:
        talk = Talk(wire, socket)
        await talk.until("session.created")
        for message in wire.begin:
            await socket.send(json.dumps(message))
        yield talk


async def test_words_come_before_the_turn_ends(app: App, wire: Wire) -> None:
    async with talking(app, wire) as talk:
        await talk.say(say(5), silence(2.0))
        assert await talk.delta() == "w5"
        await talk.commit()
        assert await talk.final() == "w5"


async def test_a_turn_that_ends_with_its_last_word_has_it(app: App, wire: Wire) -> None:
    async with talking(app, wire) as talk:
        await talk.say(say(5), silence(0.3), say(6), silence(0.1))
        await talk.commit()
        assert await talk.final() == "w5 w6"


async def test_turns_are_final_once_each_in_their_order_whatever_waits(
    app: App, wire: Wire
) -> None:
    async with talking(app, wire) as talk:
        for number in range(3):
            await talk.say(say(number), silence(0.3))
            await talk.commit()
        await talk.commit()  # a turn without any audio
        await talk.say(say(9), silence(0.3))
        await talk.commit()
        for _ in range(5):
            await talk.final()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk.final(), 0.5)
    assert talk.finals == ["w0", "w1", "w2", "", "w9"]


@pytest.mark.parametrize(
    "bad", ["{", "[]", '{"type": "nonsense"}', "{}", b"\x00", '{"type": 7}'], ids=repr
)
async def test_a_bad_message_is_told_and_costs_no_word(
    app: App, wire: Wire, bad: str | bytes
) -> None:
    async with talking(app, wire) as talk:
        await talk.say(say(5, 0.2))
        await talk.socket.send(bad)
        told = await talk.until("error")
        assert "Traceback" not in json.dumps(told)
        await talk.say(silence(0.3), say(6), silence(0.3))
        await talk.commit()
        assert await talk.final() == "w5 w6"


async def test_a_stream_that_the_engine_loses_costs_no_word(app: App, wire: Wire) -> None:
    app.engine.begin_with(LostStream)
    async with talking(app, wire) as talk:
        await talk.say(say(5), silence(0.3))
        await talk.commit()
        assert await talk.final() == "w5"


async def test_sessions_do_not_hear_each_other(app: App, wire: Wire) -> None:
    async with talking(app, wire) as one, talking(app, wire) as other:
        await one.say(say(1), silence(0.2))
        await other.say(say(2), silence(0.2))
        await one.say(say(3), silence(0.2))
        await other.commit()
        await one.commit()
        assert (await one.final(), await other.final()) == ("w1 w3", "w2")


async def test_a_client_that_goes_without_a_word_leaves_nothing(app: App, wire: Wire) -> None:
    async with talking(app, wire) as talk:
        await talk.say(say(5))
        await talk.commit()
        talk.socket.transport.abort()
    for _ in range(200):
        if not (app.engine.live or app.deployment.sessions.inside):
            return
        await asyncio.sleep(0.02)
    pytest.fail("its session is still there")
