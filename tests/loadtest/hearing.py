"""A server that speaks voxtide's dialect and knows what is said in its clips, with planted faults.

It acknowledges nothing within a turn, so a client that has lost its connection says the turn again
from its start, at the place that it names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.client.fakes import FakeServer, Talk, realtime
from voxtide_loadtest.corpus import load

_RATE = 16_000
_SECOND = 2 * _RATE

Spoil = Callable[[int, str], list[str]]
"""The transcripts that a turn gets, from its number and its text: one, if all is well."""


def well(number: int, text: str) -> list[str]:
    """Nothing is spoilt."""
    return [text]


class Hearing:
    """The server's script.

    Args:
        manifest: of clips that are all of the same length.
        spoil: what becomes of transcripts.

    Attributes:
        said: of the turns that were committed, the texts; in all connections.
    """

    def __init__(self, manifest: Path, spoil: Spoil = well) -> None:
        clips = load(str(manifest))
        self._texts = {clip.frames(_RATE)[0]: " ".join(clip.words or ()) for clip in clips}
        self._spoil = spoil
        self.said: list[str] = []

    async def __call__(self, talk: Talk) -> None:
        """One connection."""
        await talk.accept()
        at = float(talk.settings.get("resume", {"at": 0.0})["at"])
        while True:
            await talk.commit()
            first = talk.audio[: len(next(iter(self._texts)))]
            start, at = at, at + len(talk.audio) / _SECOND
            talk.audio = b""
            self.said.append(self._texts[first])
            for text in self._spoil(len(self.said), self.said[-1]):
                turn = f"turn_{len(self.said)}"
                await talk.delta(turn, text, end=at)
                await talk.complete(turn, text, words=[], start=start, end=at)


@asynccontextmanager
async def hearing(manifest: Path, spoil: Spoil = well) -> AsyncIterator[tuple[FakeServer, Hearing]]:
    """The server for as long as the body runs."""
    script = Hearing(manifest, spoil)
    async with realtime(script) as server:
        yield server, script
