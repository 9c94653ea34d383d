"""A server's end of one connection, without any I/O: what `transport.py` does around a session
whose client has asked for acknowledgements."""

from __future__ import annotations

import json
from collections import deque

from tests.fakes.drive import Drive
from voxtide_server.dialects.base import Reply
from voxtide_server.dialects.openai import OpenAIDialect
from voxtide_server.events import Completed, Configure, Event, Failed
from voxtide_server.service import Service

RESTART, ENGINE_DIED = 1012, 1011


class FakeConnection:
    """Texts in, texts out; the engine answers when `answer` says so.

    Attributes:
        sent: texts for the client, and the close code after the last one.
        draining: whether the server is to stop.
        closed: whether there is nothing more to come.
    """

    def __init__(self) -> None:
        self.sent: deque[str | int] = deque()
        self.draining = self.closed = False
        self._drive = Drive()
        self._dialect = OpenAIDialect(Service("s", ("fake",), 480, None))
        self._told = 0
        self._drive.command(Configure(self._dialect.rate))

    def receive(self, text: str) -> None:
        """A message of the client."""
        if self.closed:
            return
        for command in self._dialect.receive(json.loads(text)):
            if isinstance(command, Reply):
                self.sent.append(json.dumps(command.message))
            else:
                self._drive.command(command)
                self._tell()

    def answer(self, most: int) -> None:
        """The engine answers so many windows of each stream."""
        if not self.closed:
            self._drive.answer(most)
            self._tell()

    def drain(self) -> None:
        """The server is to stop."""
        self.draining = True
        self._leave_between_turns()

    def leave(self) -> None:
        """The time that a session has to end by itself is up."""
        self._end(RESTART)

    def die(self) -> None:
        """The engine has died."""
        self._end(ENGINE_DIED)

    def _end(self, code: int) -> None:
        if not self.closed:
            self._emit(self._drive.session.acknowledged())
            self.closed = True
            self.sent.append(code)

    def _leave_between_turns(self) -> None:
        if not self._drive.session.in_turn:
            self.leave()

    def _tell(self) -> None:
        ended = False
        while self._told < len(self._drive.events) and not self.closed:
            event = self._drive.events[self._told]
            self._told += 1
            ended = ended or isinstance(event, Completed | Failed)
            self._emit(event)
        if ended and self.draining:
            self._leave_between_turns()

    def _emit(self, event: Event) -> None:
        self.sent.extend(json.dumps(message) for message in self._dialect.encode(event))
