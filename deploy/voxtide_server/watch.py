"""What a session's progress looks like from outside: latencies, lag, missed deadlines."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from . import metrics
from .engine import FRAME_S, SAMPLE_RATE, StreamLayout
from .events import Cleared, Committed, Completed, Delta, Event, Failed

_MOST = 1_024
"""Arrivals that are kept: more than a minute of frames."""


class Arrivals:
    """When samples arrived, by their position."""

    def __init__(self) -> None:
        self._positions: list[float] = []
        self._times: list[float] = []
        self._forgotten = -1.0

    def note(self, position: float, now: float) -> None:
        """All up to a position, in seconds of audio, is here."""
        self._positions.append(position)
        self._times.append(now)
        if len(self._positions) > _MOST:
            old = _MOST // 2
            self._forgotten = self._positions[old - 1]
            del self._positions[:old], self._times[:old]

    def of(self, position: float) -> float | None:
        """When the sample at a position arrived; None if it has not, or long ago."""
        place = bisect_left(self._positions, position)
        there = place < len(self._positions) and position > self._forgotten
        return self._times[place] if there else None


class Progress:
    """Keeps the metrics of one session.

    Args:
        kind: `live` or `file`.
        key: of the caller, by its name.
        layout: of the engine's streams.
    """

    def __init__(self, kind: str, key: str, layout: StreamLayout) -> None:
        self._kind = kind
        self._key = metrics.of_key(key) if key else ""
        self._needs_s = layout.delay * FRAME_S + layout.look_ahead / SAMPLE_RATE
        self._arrivals = Arrivals()
        self._audio = 0.0
        self._frames = 0
        self._misses = 0
        self._heard_s = 0.0
        self._backlog = 0.0
        self._turn_began: float | None = None
        self._taken: deque[tuple[float, float | None]] = deque()
        self._began: dict[str, float | None] = {}
        self._commits: dict[str, float] = {}
        self._spoken: set[str] = set()

    def audio(self, position: float, length: float, now: float) -> None:
        """So much audio has come, up to a position."""
        self._audio += length
        if self._turn_began is None:
            self._turn_began = now
        if self._kind == "live":
            self._arrivals.note(position, now)

    def frame(self, heard_s: float, now: float) -> None:
        """Audio up to a position has been heard."""
        self._frames += 1
        if self._kind == "live" and heard_s > self._heard_s:  # it is not heard again
            self._heard_s = heard_s
            arrived = self._arrivals.of(heard_s + self._needs_s)
            self._misses += arrived is not None and now - arrived > FRAME_S

    def committed(self, count: int, now: float) -> None:
        """Commits have been taken; their turns are told of when it is their turn."""
        for _ in range(count):
            self._taken.append((now, self._turn_began))
            self._turn_began = None

    def event(self, event: Event, now: float) -> None:
        """The client is told."""
        match event:
            case Delta() if self._kind == "live":
                if (arrived := self._arrivals.of(event.end)) is not None:
                    metrics.WORD_LATENCY.observe(now - arrived)
                if event.turn not in self._spoken:
                    self._spoken.add(event.turn)
                    began = self._began.get(event.turn, self._turn_began)
                    if began is not None:
                        metrics.FIRST_TEXT.observe(now - began)
            case Committed():
                taken, began = self._taken.popleft()
                self._commits[event.turn], self._began[event.turn] = taken, began
            case Cleared():
                self._turn_began = None
                self._spoken.intersection_update(self._commits)
            case Completed():
                metrics.TURNS.labels(self._kind, "completed").inc()
                metrics.TURN_LENGTH.labels(self._kind).observe(event.end - event.start)
                self._over(event.turn, now)
            case Failed():
                metrics.TURNS.labels(self._kind, "failed").inc()
                if self._kind == "live":  # of a file the request is told
                    metrics.ERRORS.labels(event.error.code).inc()
                self._turn_began = self._turn_began if event.turn in self._commits else None
                self._over(event.turn, None)

    def _over(self, turn: str, now: float | None) -> None:
        committed = self._commits.pop(turn, None)
        self._began.pop(turn, None)
        self._spoken.discard(turn)
        if committed is not None and now is not None and self._kind == "live":
            metrics.FINALISATION.observe(now - committed)

    def tell(self, lag_s: float, backlog_s: float) -> None:
        """Add up what has come together; once a second, and at the end."""
        metrics.FRAMES.labels(self._kind).inc(self._frames)
        metrics.AUDIO.labels(self._kind).inc(self._audio)
        metrics.BACKLOG.labels(self._kind).inc(backlog_s - self._backlog)
        if self._key:
            metrics.KEY_AUDIO.labels(self._key).inc(self._audio)
        if self._kind == "live":
            metrics.MISSES.inc(self._misses)
            if self._audio:
                metrics.LAG.observe(lag_s)
        self._backlog = backlog_s
        self._audio = 0.0
        self._frames = self._misses = 0
