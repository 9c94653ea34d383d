"""One live session: a greenlet that speaks by the script, one that listens."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial

import gevent
from gevent.event import Event as Signal

from .behaviour import Disconnect, Say, Silence, Step
from .connection import Connection, ConnectionLost
from .corpus import FRAME_S
from .dialects.base import Completed, Event, Failed, Named, Ready, TextDelta
from .measure import Recorder
from .options import Settings
from .pacing import Pacer
from .turn import Outcome, Turn
from .words import Delta


class Session:
    """Speaks and listens over one connection at a time; each is used for one `run`.

    Args:
        settings: what is said, to whom.
        recorder: is told of every turn, and how well the schedule was kept.
        rng: for what the network does.
    """

    def __init__(self, settings: Settings, recorder: Recorder, rng: random.Random) -> None:
        self._settings = settings
        self._dialect = settings.dialect
        self._recorder = recorder
        self._rng = rng
        self._open: deque[Turn] = deque()  # without an answer yet, the oldest first
        self._done: set[str] = set()  # names of turns that are over
        self._answered = Signal()
        self._end: str | None = None  # why nothing more will come
        self._pacer = Pacer(gevent.sleep)
        self._next = 0.0  # when the next frame is due
        self._position = 0.0  # of its first sample in the session's audio

    def run(self, steps: Iterator[Step]) -> float | None:
        """Take the steps until there are none left.

        Returns:
            for how long the client stays away, in seconds, before it goes on with the rest of the
            steps; None if all were taken.

        Raises:
            Refused: the server did not let the session in.
            ConnectionLost: the connection broke; the rest of the steps may go on another one.
        """
        self._connection = Connection(self._settings.address, self._settings.key)
        listener = gevent.spawn(self._listen)
        self._recorder.session_began()
        outcome: Outcome = "lost"
        try:
            for message in self._dialect.opening(self._settings.model, self._settings.rate):
                self._connection.send(message)
            away = self._speak(steps)
            outcome = "cut" if away is not None else "timeout"
            return away
        except gevent.GreenletExit:
            # The run is over. Ending hundreds of streams at once takes a while, which makes those
            # late that come last; what was not measured to its end is not judged either.
            outcome = "cut"
            self._pacer.slips.clear()
            raise
        finally:
            self._connection.close() if outcome == "timeout" else self._connection.cut()
            listener.kill()
            self._give_up(outcome)
            self._recorder.session_ended(self._pacer)

    def _speak(self, steps: Iterator[Step]) -> float | None:
        # A phase of its own, or all streams would send at the same moments.
        self._next = time.monotonic() + self._rng.random() * FRAME_S
        for step in steps:
            if isinstance(step, Disconnect):
                return step.away
            if isinstance(step, Say):
                self._say(step)
            else:
                self._be_silent(step)
            self._recorder.paced(self._pacer)
        self._wait()
        return None

    def _say(self, step: Say) -> None:
        if self._dialect.waits and self._open:
            self._wait()
            self._next = max(self._next, time.monotonic())
        for message in self._dialect.begin():
            self._connection.send(message)
        messages = self._settings.messages(step.clip)[: step.frames]
        whole = step.commit and step.frames in (None, len(self._settings.messages(step.clip)))
        turn = Turn(step.clip, self._next - FRAME_S, self._position, whole)
        self._open.append(turn)
        due = self._send(messages)
        if step.commit:
            turn.committed = due
            for message in self._dialect.commit():
                self._connection.send(message)

    def _be_silent(self, step: Silence) -> None:
        frames = round(step.seconds / FRAME_S)
        if step.muted or self._dialect.waits:  # where a turn has to be begun, silence is no turn
            self._next += frames * FRAME_S
            self._pacer.wait(self._next - FRAME_S)
        else:
            self._send(self._settings.silence(frames))

    def _send(self, messages: Sequence[bytes]) -> float:
        """Send frames when they are due; returns when the last one was."""
        dues = self._settings.network.dues(self._next, len(messages), self._rng)
        write = self._connection.send
        for due, message in zip(dues, messages, strict=True):
            self._pacer.send(due, partial(write, message))
        self._next += len(messages) * FRAME_S
        self._position += len(messages) * FRAME_S
        return dues[-1] if dues else self._next

    def _wait(self) -> None:
        """Until every turn has its answer, or has waited for it too long."""
        while self._open:
            if self._end is not None:
                raise ConnectionLost(self._end)
            self._answered.clear()
            committed = self._open[0].committed or time.monotonic()
            left = committed + self._settings.final_timeout - time.monotonic()
            if not self._answered.wait(max(0.0, left)) and left <= 0:
                self._finish(self._open[0], "timeout")

    def _listen(self) -> None:
        end = "closed"
        try:
            for message in self._connection.messages():
                arrival = time.monotonic()
                event = self._dialect.read(message)
                if event is not None:
                    self._heard(event, arrival)
        except ConnectionLost as lost:
            end = str(lost)
        except ValueError:
            end = "unreadable_message"
            self._recorder.error(end)
        self._end = end
        self._answered.set()

    def _heard(self, event: Event, arrival: float) -> None:
        match event:
            case TextDelta(text, end, item):
                if turn := self._turn(item):
                    turn.deltas.append(Delta(arrival, text, end))
            case Named(item):
                self._turn(item)
            case Completed(text, item):
                if turn := self._turn(item):
                    turn.final, turn.finalised = text, arrival
                    self._finish(turn, "final")
            case Failed(code, item):
                self._recorder.error(code)
                turn = self._turn(item) if item is not None else None
                if turn is not None:
                    self._finish(turn, "failed")
            case Ready(delay_ms):
                self._recorder.ready(delay_ms)

    def _turn(self, item: str) -> Turn | None:
        """The turn of that name; a new name is that of the oldest turn that has none."""
        if item in self._done:
            return None
        for turn in self._open:
            if turn.item in (item, ""):
                turn.item = item
                return turn
        return None

    def _finish(self, turn: Turn, outcome: Outcome) -> None:
        turn.outcome = outcome
        self._open.remove(turn)
        if turn.item:
            self._done.add(turn.item)
        self._recorder.turn(turn)
        self._answered.set()

    def _give_up(self, outcome: Outcome) -> None:
        while self._open:
            self._finish(self._open[0], outcome)
