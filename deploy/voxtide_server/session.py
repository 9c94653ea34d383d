"""A session as a step function: no I/O, no clock, no tasks.

Commands of the client and tokens of the engine go in; effects come out, for a
runner to carry out in their order. The rules:

- A turn begins with its first sample, or with a commit that finds none, and
  ends with a commit. Every commit ends in exactly one Completed or Failed.
- Events leave in the order of their turns: those of a later turn wait until
  the one before it is final.
- A turn's audio goes through one engine stream after another (a leg each). A
  leg is renewed while nothing is being said, before it grows slow or reaches
  the engine's limit: its successor hears again all that came after the last
  word that is out, 3 s of it at the most, so that no word is lost and none
  comes twice.
- Audio of a failed turn is lost; the next sample begins a new turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from .audio import Framer, Resampler, Tail
from .engine import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Samples, StreamLayout, Vocabulary
from .errors import VoxtideError
from .events import (
    Audio,
    Clear,
    Cleared,
    Command,
    Commit,
    Committed,
    Completed,
    Configure,
    Delta,
    Event,
    Failed,
    SegmentEnded,
)
from .transcript import Transcript

RENEW_AFTER_S = 60.0
"""Age of a leg, in seconds of audio, from which it is renewed at the next pause."""
RENEW_PAUSE_S = 0.8
"""The pause that suffices at that age; it shrinks to nothing at twice the age. At three
times the age a leg is renewed whatever is being said."""
HELD_S = 3.0
"""Audio before the last token that is held for a renewal: longer than any word."""


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Open an engine stream."""

    stream: str


@dataclass(frozen=True, slots=True)
class FeedStream:
    """Feed the next window to a stream."""

    stream: str
    window: Samples


@dataclass(frozen=True, slots=True)
class CloseStream:
    """Close a stream; what it still says is not wanted."""

    stream: str


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell the client."""

    event: Event


Effect = OpenStream | FeedStream | CloseStream | Emit


@dataclass(slots=True)
class _Leg:
    """One engine stream of a turn; `base` is the position of its first sample."""

    stream: str
    base: int
    framer: Framer
    fed: int = 0
    heard: int = 0


@dataclass(slots=True)
class _Turn:
    """One turn: its transcript, its leg, and the events that wait for its turn."""

    id: str
    start: int
    transcript: Transcript
    leg: _Leg | None = None
    legs: int = 0
    end: int | None = None
    tokens: int = 0
    final: bool = False
    waiting: list[Event] = field(default_factory=list)


class Session:
    """The state of one client's session.

    Args:
        session_id: prefix of turn and stream ids; unique in the process.
        layout: how the model lays out a stream.
        vocabulary: the model's tokens.
        rate: of the client's samples until a Configure says otherwise, in Hz.
    """

    def __init__(
        self, session_id: str, layout: StreamLayout, vocabulary: Vocabulary, rate: int = SAMPLE_RATE
    ) -> None:
        self._id = session_id
        self._layout = layout
        self._vocabulary = vocabulary
        self._rate = rate
        self._resampler = Resampler(rate)
        self._turns: deque[_Turn] = deque()
        self._open: _Turn | None = None
        self._count = 0
        self._previous: str | None = None
        self._tail = Tail()
        # A leg must come further than what its successor hears again.
        quarter = layout.max_tokens * FRAME_S / 4
        self._renew_after_s = max(2 * HELD_S, min(RENEW_AFTER_S, quarter))

    @property
    def backlog_s(self) -> float:
        """Seconds of audio, silence included, that the engine has not answered."""
        legs = [turn.leg for turn in self._turns if turn.leg]
        return sum(leg.fed - leg.heard for leg in legs) * FRAME_S

    @property
    def unfinished(self) -> int:
        """Turns that are committed and not final."""
        return sum(turn.end is not None for turn in self._turns)

    # ---- commands ------------------------------------------------------------------

    def command(self, command: Command) -> list[Effect]:
        """Take a command of the client."""
        match command:
            case Configure(rate):
                return self._configure(rate)
            case Audio(samples):
                return list(self._audio(self._resampler.push(samples)))
            case Commit():
                return [*self._audio(self._resampler.flush()), *self._commit()]
            case Clear():
                return self._clear()

    def close(self) -> list[Effect]:
        """The client is gone."""
        return [CloseStream(turn.leg.stream) for turn in self._turns if turn.leg]

    def _configure(self, rate: int) -> list[Effect]:
        if rate == self._rate:
            return []
        effects = list(self._audio(self._resampler.flush()))
        self._rate, self._resampler = rate, Resampler(rate)
        return effects

    def _audio(self, samples: Samples) -> Iterator[Effect]:
        if not len(samples):
            return
        turn = self._open or self._begin()
        self._tail.push(samples)
        leg = turn.leg
        if leg is None:
            leg = self._open_leg(turn, turn.start)
            yield OpenStream(leg.stream)
        yield from self._feed(leg, leg.framer.push(samples))

    def _begin(self) -> _Turn:
        start = self._tail.end
        turn = _Turn(
            id=f"item_{self._id}_{self._count}",
            start=start,
            transcript=Transcript(self._vocabulary, start / SAMPLE_RATE),
        )
        self._count += 1
        self._turns.append(turn)
        self._open = turn
        return turn

    def _commit(self) -> Iterator[Effect]:
        turn = self._open or self._begin()
        self._open = None
        turn.end = self._tail.end
        turn.waiting.append(Committed(turn.id, self._previous))
        self._previous = turn.id
        if turn.leg is None:
            yield from self._complete(turn)
            return
        yield from self._emit()
        yield from self._feed(turn.leg, turn.leg.framer.finish())

    def _clear(self) -> list[Effect]:
        self._resampler = Resampler(self._rate)
        effects: list[Effect] = []
        turn, self._open = self._open, None
        if turn is not None:
            self._turns.remove(turn)
            if turn.leg is not None:
                effects.append(CloseStream(turn.leg.stream))
        self._forget()
        return [*effects, Emit(Cleared())]

    # ---- what the engine says ------------------------------------------------------

    def token(self, stream: str, token: int) -> list[Effect]:
        """Take the next token of a stream."""
        turn = self._find(stream)
        if turn is None or turn.leg is None:
            return []  # of a leg that has been renewed or cleared
        leg, transcript = turn.leg, turn.transcript
        leg.heard += 1
        self._forget()
        turn.tokens += 1
        frame_start = leg.base / SAMPLE_RATE + (leg.heard - 1) * FRAME_S
        if text := transcript.push(token, frame_start):
            turn.waiting.append(Delta(turn.id, text, transcript.last_end))
        if segment := transcript.pause(frame_start + FRAME_S):
            turn.waiting.append(SegmentEnded(turn.id, segment))
        if turn.end is not None and leg.heard == leg.fed:
            return [CloseStream(stream), *self._complete(turn)]
        renewal = self._renew(turn, leg) if self._renewable(turn, leg) else ()
        return [*self._emit(), *renewal]

    def stream_failed(self, stream: str, error: VoxtideError) -> list[Effect]:
        """A stream is lost."""
        turn = self._find(stream)
        if turn is None:
            return []
        if turn is self._open:
            self._open = None
        turn.leg = None
        turn.waiting.append(Failed(turn.id, error))
        turn.final = True
        self._forget()
        return [CloseStream(stream), *self._emit()]

    def _find(self, stream: str) -> _Turn | None:
        return next((t for t in self._turns if t.leg and t.leg.stream == stream), None)

    def _complete(self, turn: _Turn) -> Iterator[Effect]:
        if segment := turn.transcript.close():
            turn.waiting.append(SegmentEnded(turn.id, segment))
        assert turn.end is not None
        turn.leg = None
        turn.final = True
        completed = Completed(
            turn=turn.id,
            text=turn.transcript.text,
            segments=tuple(turn.transcript.segments),
            start=turn.start / SAMPLE_RATE,
            end=turn.end / SAMPLE_RATE,
            prompt_tokens=turn.legs * self._layout.prompt,
            completion_tokens=turn.tokens,
        )
        turn.waiting.append(completed)
        yield from self._emit()

    def _emit(self) -> Iterator[Effect]:
        while self._turns:
            turn = self._turns[0]
            yield from map(Emit, turn.waiting)
            turn.waiting.clear()
            if not turn.final:
                return
            self._turns.popleft()

    # ---- legs ----------------------------------------------------------------------

    def _open_leg(self, turn: _Turn, base: int) -> _Leg:
        turn.leg = _Leg(f"{turn.id}_{turn.legs}", base, Framer(self._layout))
        turn.legs += 1
        return turn.leg

    def _feed(self, leg: _Leg, windows: Iterator[Samples]) -> Iterator[Effect]:
        for window in windows:
            leg.fed += 1
            yield FeedStream(leg.stream, window)

    def _renewable(self, turn: _Turn, leg: _Leg) -> bool:
        """Whether the leg is old and nothing is being said just now."""
        age = leg.heard * FRAME_S
        if age < self._renew_after_s:
            return False
        if turn.end is not None and leg.base + leg.heard * FRAME_SAMPLES >= turn.end:
            return False  # only the silence after the turn is left
        overdue = age / self._renew_after_s - 1
        if turn.transcript.spelling:
            return overdue >= 2
        quiet = leg.base / SAMPLE_RATE + age - turn.transcript.last_end
        return quiet >= RENEW_PAUSE_S * (1 - overdue)

    def _renew(self, turn: _Turn, leg: _Leg) -> Iterator[Effect]:
        base = max(self._needed_from(turn), round(turn.transcript.last_end * SAMPLE_RATE))
        yield CloseStream(leg.stream)
        turn.transcript.resume()
        leg = self._open_leg(turn, base)
        yield OpenStream(leg.stream)
        end = self._tail.end if turn.end is None else turn.end
        yield from self._feed(leg, leg.framer.push(self._tail.between(base, end)))
        if turn.end is not None:
            yield from self._feed(leg, leg.framer.finish())

    def _forget(self) -> None:
        """Let go of audio that no leg may want again."""
        needed = [self._needed_from(turn) for turn in self._turns if turn.leg]
        self._tail.forget(min(needed, default=self._tail.end))

    def _needed_from(self, turn: _Turn) -> int:
        """Position from which a turn's audio may be wanted again, since a word may have
        begun there that has not come out yet."""
        assert turn.leg is not None
        held = int(HELD_S / FRAME_S)
        return turn.leg.base + max(0, turn.leg.heard - held) * FRAME_SAMPLES
