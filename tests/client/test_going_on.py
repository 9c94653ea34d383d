"""A stream whose servers break, drain and die goes on: the client's state machine against the
server's, without any I/O.  Whatever happens when, each word comes once, and the final transcripts
stand for all of the audio, once."""

from __future__ import annotations

import random
from collections import deque

import numpy as np
import pytest

from tests.fakes.connection import FakeConnection
from tests.fakes.drive import text
from tests.fakes.engine import say, silence
from voxtide import Final
from voxtide.audio import AudioEncoder
from voxtide.dialects import DIALECTS
from voxtide.dialects.base import Settings
from voxtide.protocol import Protocol

RATE = 16_000
FRAME = 1280


class Stream:
    """A client, the server that it is connected to, and what is on its way between them."""

    def __init__(self, rng: random.Random) -> None:
        encoder = AudioEncoder(RATE, 1, "pcm16", DIALECTS["voxtide"].rates)
        settings = Settings(RATE, "pcm16", None, None, None)
        self.protocol = Protocol(DIALECTS["voxtide"](), encoder, settings)
        self.finals: list[Final] = []
        self._rng = rng
        self.connect()

    def connect(self) -> None:
        """Another server; what was on its way is lost."""
        self.server = FakeConnection()
        self._out: deque[str] = deque()
        for message in self.protocol.opening():
            self.server.receive(message)
        while not self.protocol.ready:
            answer = self.server.sent.popleft()
            assert isinstance(answer, str)
            self.protocol.receive(answer)

    def cut(self) -> None:
        """The connection is lost; some of what the server has sent may have come."""
        while self.server.sent and self._rng.random() < 0.5:
            if isinstance(self.server.sent[0], int):
                break
            self._hear()
        self.protocol.lost(1006, "")
        self.connect()

    def go(self, *, most: int = 3, answers: int = 1) -> None:
        """Some messages are carried, up to `most` each way."""
        while (message := self.protocol.next_text()) is not None:
            self._out.append(message)
        for _ in range(self._rng.randint(0, most)):
            if self._out:
                self.server.receive(self._out.popleft())
        self.server.answer(answers)
        for _ in range(self._rng.randint(0, most)):
            if self.server.sent:
                self._hear()

    def _hear(self) -> None:
        answer = self.server.sent.popleft()
        if isinstance(answer, int):
            self.protocol.lost(answer, "")
            if not self.protocol.done:
                self.connect()
            return
        event = self.protocol.receive(answer)
        if isinstance(event, Final):
            self.finals.append(event)

    def break_something(self) -> None:
        """Now and then."""
        match self._rng.randrange(100):
            case 0:
                self.cut()
            case 1:
                self.server.drain()
            case 2 | 3 if self.server.draining:
                self.server.leave()
            case 4:
                self.server.die()


@pytest.mark.parametrize("seed", range(60))
def test_each_word_comes_once_and_all_of_the_audio_is_final_once(seed: int) -> None:
    rng = random.Random(seed)
    stream = Stream(rng)
    word = fed = 0
    answers = rng.choice([1, 1, 2, 3])
    for _ in range(rng.randint(2, 5)):
        for _ in range(rng.randint(1, 12)):
            audio = np.concatenate(
                (say(word, rng.uniform(0.1, 0.6)), silence(rng.uniform(0.1, 0.9)))
            )
            word += 1
            for start in range(0, len(audio), FRAME):
                stream.protocol.feed(audio[start : start + FRAME])
                stream.go(answers=answers)
                stream.break_something()
            fed += len(audio)
        stream.protocol.flush()
    stream.protocol.finish()
    for _ in range(10_000):
        if stream.protocol.done:
            break
        stream.go()
    assert stream.protocol.done
    assert " ".join(final.text for final in stream.finals).split() == text(*range(word)).split()
    places = [(final.start, final.end) for final in stream.finals]
    begins = [0.0, *(end for _, end in places)]
    assert begins == pytest.approx([*(start for start, _ in places), fed / RATE], abs=0.002)
