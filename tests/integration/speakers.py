"""People who speak through an edge, turn after turn, until they are told that it is over."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import voxtide
from tests.conftest import Clip
from tests.integration.audio import base64_pieces, pcm16

FRAME = 1_280
FRAME_S = 0.08


@dataclass
class Speaker:
    """Somebody who says clips, one a turn, at the speed of speech.

    Attributes:
        said: the texts of the turns that were said.
        heard: the texts of the final transcripts.
        closes: with which code each lost connection was closed; 1006: without a word. (OpenAI's
            SDK alone: voxtide's client keeps that to itself.)
        resumes: how often the session went on elsewhere.
    """

    clips: list[Clip]
    over: asyncio.Event
    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    resumes: int = 0


class Voxtide(Speaker):
    """With voxtide's client, which goes on elsewhere by itself."""

    async def speak(self, base_url: str) -> None:
        async with (
            voxtide.AsyncClient(base_url).stream() as session,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._say(session))
            async for event in session:
                match event:
                    case voxtide.Final():
                        self.heard.append(event.text)
                    case voxtide.Resumed():
                        assert event.lost == 0.0
                        self.resumes += 1

    async def _say(self, session: voxtide.AsyncSession) -> None:
        for clip in cycle(self.clips):
            if self.over.is_set():
                break
            for frame in _frames(clip):
                await session.feed(frame)
                await asyncio.sleep(FRAME_S)
            await session.flush()
            self.said.append(clip.text)
        await session.finish()


class OpenAi(Speaker):
    """With OpenAI's SDK, which is told that its connection is lost; it connects again.

    What was not final by then is said again.
    """

    async def speak(self, base_url: str) -> None:
        async with AsyncOpenAI(base_url=base_url, api_key="none") as sdk:
            while not self.over.is_set():
                try:
                    await self._say(sdk)
                except ConnectionClosed as closed:
                    self.closes.append(closed.rcvd.code if closed.rcvd else 1006)
                    self.resumes += 1

    async def _say(self, sdk: AsyncOpenAI) -> None:
        """Turn after turn over one connection."""
        heard: Any = {"format": {"type": "audio/pcm", "rate": 16_000}}
        session: Any = {"type": "transcription", "audio": {"input": heard}}
        async with sdk.realtime.connect(extra_query={"intent": "transcription"}) as connection:
            await connection.session.update(session=session)
            while not self.over.is_set():
                clip = self.clips[len(self.said) % len(self.clips)]
                self.heard.append(await _turn(connection, clip))
                self.said.append(clip.text)


class Files(Speaker):
    """Sends file after file with OpenAI's SDK, which tries again by itself."""

    async def speak(self, base_url: str) -> None:
        async with AsyncOpenAI(base_url=base_url, api_key="none") as sdk:
            for clip in cycle(self.clips):
                if self.over.is_set():
                    break
                result = await sdk.audio.transcriptions.create(model="nano", file=clip.path)
                self.said.append(clip.text)
                self.heard.append(result.text)
                await asyncio.sleep(2)


class Caller(Speaker):
    """Opens a session every second, which nobody may refuse."""

    async def speak(self, base_url: str) -> None:
        url = base_url.replace("http", "ws", 1) + "/realtime?intent=transcription"
        while not self.over.is_set():
            async with connect(url, ping_interval=None) as socket:
                self.said.append("session.created")
                self.heard.append(json.loads(await socket.recv())["type"])
            await asyncio.sleep(1)


def _frames(clip: Clip) -> list[bytes]:
    pcm = pcm16(clip.path)
    return [pcm[at : at + FRAME].tobytes() for at in range(0, len(pcm), FRAME)]


async def _turn(connection: AsyncRealtimeConnection, clip: Clip) -> str:
    for piece in base64_pieces(pcm16(clip.path), FRAME):
        await connection.input_audio_buffer.append(audio=piece)
        await asyncio.sleep(FRAME_S)
    await connection.input_audio_buffer.commit()
    async for event in connection:
        assert event.type != "error", event
        if event.type == "conversation.item.input_audio_transcription.completed":
            return event.transcript
    raise AssertionError("the connection ended well, and the turn did not")
