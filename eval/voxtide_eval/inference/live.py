"""An utterance through the realtime endpoint, at the speed of speech or as fast as it is taken.

The clock of all times begins when the first sample is spoken. At the speed of speech a piece of
80 ms is sent when its last sample has been spoken, as a microphone's would be; sent all at once,
the first sample is spoken when the session is open. Either way times of words in the audio and
times of their arrival are on one clock.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from voxtide import AsyncClient, Final, Partial, Reconnect, ServerError, VoxtideError
from voxtide.dialects import Name as Dialect
from voxtide.events import Event

from ..datasets.audio import Source
from ..datasets.decoding import Samples
from ..datasets.definition import Utterance
from ..manifest import Heard, Word
from .arrivals import Arrivals
from .run import blank

PARTIALS_UP_TO_S = 60.0
"""Of longer utterances no partial transcripts are kept: each has all the text before it, so they
grow with the square of the length."""
_ONE_CONNECTION = Reconnect(seconds=0)


@dataclass(frozen=True)
class Live:
    """How utterances are sent.

    Args:
        client: of the server.
        dialect: that it speaks.
        model: its name.
        paced: whether at the speed of speech.
        tell_language: whether the server is told the utterance's language.
    """

    client: AsyncClient
    dialect: Dialect
    model: str
    paced: bool
    tell_language: bool

    async def __call__(self, utterance: Utterance) -> Heard:
        """Hear an utterance over one connection: one that is lost is an error, and not replaced.

        Raises:
            VoxtideError: there is no transcript.
            OSError, DatasetError: the audio cannot be read.
        """
        with utterance.audio.open() as audio:
            clock = _Clock(audio, self.paced)
            async with self.client.stream(
                clock.pieces(),
                sample_rate=audio.rate,
                pace=1.0 if self.paced else None,
                model=self.model,
                language=utterance.language if self.tell_language else None,
                dialect=self.dialect,
                reconnect=_ONE_CONNECTION,
            ) as session:
                hearing = _Hearing(clock)
                async for event in session:
                    hearing.take(event)
        return hearing.heard(utterance)


class _Clock:
    """The audio on its way, and the moments from which times count.

    Attributes:
        began: when the first sample was spoken, by the monotonic clock.
        end: when the last one was, in seconds after that.
    """

    def __init__(self, audio: Source, paced: bool) -> None:
        self._audio = audio
        self._paced = paced
        self.began = self.end = 0.0

    async def pieces(self) -> AsyncIterator[Samples]:
        """The audio; the client asks for the next piece once the one before is sent."""
        self.began = time.monotonic()
        spoken = 0.0
        for piece in self._audio.pieces:
            spoken = piece.end
            yield piece.samples
        self.end = spoken if self._paced else self.now()

    def now(self) -> float:
        """Seconds since the first sample was spoken."""
        return time.monotonic() - self.began


class _Hearing:
    """What comes of an utterance."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self._arrivals = Arrivals()
        self._turn: str | None = None
        self._finals: list[Final] = []
        self._final = 0.0

    def take(self, event: Event) -> None:
        """Raises VoxtideError for an error: there will be no transcript, or not a whole one."""
        at = self._clock.now()
        match event:
            case Partial(text=text, turn=turn):
                apart = " " if self._turn not in (None, turn) else ""
                self._turn = turn
                self._arrivals.add(at, apart + text)
            case Final():
                self._finals.append(event)
                self._final = at
            case ServerError(code=code, message=message, param=param):
                raise VoxtideError(message, code=code, param=param)

    def heard(self, utterance: Utterance) -> Heard:
        """All of it. Servers that end turns by themselves bring several finals."""
        spelt = (word for final in self._finals for word in final.words if word.word.strip())
        words = tuple(Word(word.word, word.start, word.end) for word in spelt)
        text = " ".join(final.text.strip() for final in self._finals if final.text.strip())
        told = [word.text for word in words] or text.split()
        short = utterance.seconds <= PARTIALS_UP_TO_S
        return replace(
            blank(utterance),
            hypothesis=text,
            words=words,
            partials=self._arrivals.shown() if short else (),
            emitted=self._arrivals.emitted(told, self._final),
            first_word_s=self._arrivals.first,
            final_s=self._final - self._clock.end if self._finals else None,
        )
