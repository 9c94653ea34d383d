"""A session as a step function: no I/O, no clock, no tasks.

Commands of the client and tokens of the engine go in; effects come out, for a
runner to carry out in their order. The rules:

- A turn begins with its first sample, or with a commit that finds none, and
  ends with a commit. Every commit ends in exactly one Completed or Failed.
- Events leave in the order of their turns: those of a later turn wait until
  the one before it is final.
- A turn's audio goes through one engine stream after another (a leg each). A
  new leg hears again all that came after the last word that is out, 3 s of it
  at the most, so that no word is lost and none comes twice. It begins
    - while nothing is being said, before the old one grows slow or reaches the
      engine's limit,
    - when the engine has lost the old one, MAX_LOSSES times without progress,
    - when the old one says nothing over clear speech (the blank rut, vLLM issue
      47614), which is then heard again from the start of the rut,
    - with the next sample, where the old one was given back because none came.
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
from .speech import is_clear_speech
from .transcript import Transcript

RENEW_PAUSE_S = 0.8
"""The pause that suffices for a renewal at the age that the layout names; it shrinks to
nothing at twice the age. At three times the age a leg is renewed whatever is being said."""
REPLAY_S = 3.0
"""Audio before the last token that a new leg hears again: longer than any word."""
RUT_S = 8.0
"""Blanks over clear speech after which a leg is in a rut. A second more audio is held."""
MAX_LOSSES = 3
"""Losses of a turn's legs, without a new frame heard between them, that it survives."""

_FRAMES_PER_REPLAY = round(REPLAY_S / FRAME_S)
_FRAMES_PER_RUT = round(RUT_S / FRAME_S)
# With the frames that the last word before a rut took to be spelt.
_FRAMES_HELD = _FRAMES_PER_RUT + 13


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
    """One engine stream of a turn; `base` is the position of its first sample, `blanks`
    the length of the run of blanks that it is in."""

    stream: str
    base: int
    framer: Framer
    fed: int = 0
    heard: int = 0
    blanks: int = 0

    def position(self, back: int = 0) -> int:
        """Of the audio that its last token told of, `back` frames earlier."""
        return self.base + max(0, self.heard - back) * FRAME_SAMPLES


@dataclass(slots=True)
class _Turn:
    """One turn: its transcript, its leg, and the events that wait for its turn.

    Without a leg, `begin` is the position from which the next one has to hear.
    `furthest` is the position that has been heard so far, `losses` counts the legs
    lost since, `patience` the blanks until it is looked again for a rut.
    """

    id: str
    begin: int
    transcript: Transcript
    start: int = 0
    leg: _Leg | None = None
    legs: int = 0
    end: int | None = None
    tokens: int = 0
    furthest: int = 0
    losses: int = 0
    patience: int = _FRAMES_PER_RUT
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
        self._renew_after_s = max(2 * REPLAY_S, layout.renew_after * FRAME_S)

    @property
    def backlog_s(self) -> float:
        """Seconds of audio, silence included, that the engine has not answered."""
        legs = [turn.leg for turn in self._turns if turn.leg]
        return sum(leg.fed - leg.heard for leg in legs) * FRAME_S

    @property
    def unfinished(self) -> int:
        """Turns that are committed and not final."""
        return sum(turn.end is not None for turn in self._turns)

    @property
    def acknowledged_s(self) -> float:
        """Position in seconds up to which everything that was said is out, or has failed:
        where another session would have to go on."""
        begins = [self._replay_from(turn) for turn in self._turns if not turn.final]
        return min(begins, default=self._tail.end) / SAMPLE_RATE

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

    def idle(self, *, in_pause: bool = False) -> list[Effect]:
        """No sample has come for a while: give the engine's stream back, if it has
        nothing to do. The next sample opens another.

        Args:
            in_pause: only if nobody was speaking when the samples stopped, since the
                new stream would begin in the middle of a sentence.
        """
        turn = self._open
        if turn is None or turn.leg is None or turn.leg.heard < turn.leg.fed:
            return []
        speaking = turn.transcript.spelling or self._quiet_s(turn, turn.leg) < RENEW_PAUSE_S
        return [] if in_pause and speaking else [self._leave(turn)]

    def close(self) -> list[Effect]:
        """The client is gone."""
        return [self._leave(turn) for turn in self._turns if turn.leg]

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
        if turn.leg is None:
            yield from self._open_leg(turn)
        else:
            yield from self._feed(turn.leg, turn.leg.framer.push(samples))

    def _begin(self) -> _Turn:
        start = self._tail.end
        turn = _Turn(
            id=f"item_{self._id}_{self._count}",
            begin=start,
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
        if turn.start == turn.end:
            yield from self._complete(turn)
            return
        yield from self._emit()
        if turn.leg is None:
            yield from self._open_leg(turn)
        else:
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
        turn.tokens += 1
        if leg.position() > turn.furthest:
            turn.furthest, turn.losses = leg.position(), 0
        self._forget()
        frame_start = leg.base / SAMPLE_RATE + (leg.heard - 1) * FRAME_S
        if text := transcript.push(token, frame_start):
            turn.waiting.append(Delta(turn.id, text, transcript.last_end))
        if segment := transcript.pause(frame_start + FRAME_S):
            turn.waiting.append(SegmentEnded(turn.id, segment))
        if turn.end is not None and leg.heard == leg.fed:
            return [CloseStream(stream), *self._complete(turn)]
        return [*self._emit(), *self._watch(turn, leg)]

    def stream_lost(self, stream: str, error: VoxtideError) -> list[Effect]:
        """The engine has lost a stream: hear again what has no words yet, or give up."""
        turn = self._find(stream)
        if turn is None:
            return []
        turn.losses += 1
        if turn.losses > MAX_LOSSES:
            return self._fail(turn, error)
        return list(self._renew(turn))

    def fail(self, error: VoxtideError) -> list[Effect]:
        """The engine is gone: every turn fails."""
        return [effect for turn in list(self._turns) for effect in self._fail(turn, error)]

    def stream_failed(self, stream: str, error: VoxtideError) -> list[Effect]:
        """A stream is lost, and another would be no better."""
        turn = self._find(stream)
        return [] if turn is None else self._fail(turn, error)

    def _fail(self, turn: _Turn, error: VoxtideError) -> list[Effect]:
        if turn.final:
            return []
        if turn is self._open:
            self._open = None
        effects: list[Effect] = [self._leave(turn)] if turn.leg else []
        turn.waiting.append(Failed(turn.id, error))
        turn.final = True
        self._forget()
        return [*effects, *self._emit()]

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

    def _open_leg(self, turn: _Turn) -> Iterator[Effect]:
        """Begin a leg that hears all from `turn.begin` on that is there."""
        leg = turn.leg = _Leg(f"{turn.id}_{turn.legs}", turn.begin, Framer(self._layout))
        turn.legs += 1
        yield OpenStream(leg.stream)
        heard_again = self._tail.between(turn.begin, self._end(turn))
        yield from self._feed(leg, leg.framer.push(heard_again))
        if turn.end is not None:
            yield from self._feed(leg, leg.framer.finish())

    def _leave(self, turn: _Turn) -> Effect:
        """End a turn's leg; another may begin where words may be missing."""
        assert turn.leg is not None
        turn.begin = self._replay_from(turn)
        leg, turn.leg = turn.leg, None
        turn.transcript.resume()
        return CloseStream(leg.stream)

    def _renew(self, turn: _Turn) -> Iterator[Effect]:
        yield self._leave(turn)
        yield from self._open_leg(turn)

    def _watch(self, turn: _Turn, leg: _Leg) -> Iterator[Effect]:
        """Renew a leg that is old, or in a rut."""
        if turn.transcript.spelling:
            leg.blanks, turn.patience = 0, _FRAMES_PER_RUT
        else:
            leg.blanks += 1
        if self._renewable(turn, leg):
            yield from self._renew(turn)
        elif leg.blanks >= turn.patience:
            leg.blanks = 0
            end = self._end(turn)
            start = min(leg.position(back=_FRAMES_PER_RUT), end)
            if is_clear_speech(self._tail.between(start, min(leg.position(), end))):
                # What is no speech after all must not be heard again and again.
                turn.patience *= 2
                begin = max(leg.position(back=_FRAMES_HELD), self._settled(turn))
                yield self._leave(turn)
                turn.begin = min(begin, end)
                yield from self._open_leg(turn)

    def _feed(self, leg: _Leg, windows: Iterator[Samples]) -> Iterator[Effect]:
        for window in windows:
            leg.fed += 1
            yield FeedStream(leg.stream, window)

    def _renewable(self, turn: _Turn, leg: _Leg) -> bool:
        """Whether the leg is old and nothing is being said just now."""
        age = leg.heard * FRAME_S
        if age < self._renew_after_s:
            return False
        if turn.end is not None and leg.position() >= turn.end:
            return False  # only the silence after the turn is left
        overdue = age / self._renew_after_s - 1
        if turn.transcript.spelling:
            return overdue >= 2
        return self._quiet_s(turn, leg) >= RENEW_PAUSE_S * (1 - overdue)

    def _quiet_s(self, turn: _Turn, leg: _Leg) -> float:
        """Seconds of audio since the last word ended, as far as it has been heard."""
        return leg.position() / SAMPLE_RATE - turn.transcript.last_end

    def _forget(self) -> None:
        """Let go of audio that no leg may want again."""
        needed = [
            min(turn.leg.position(back=_FRAMES_HELD), self._end(turn)) if turn.leg else turn.begin
            for turn in self._turns
            if not turn.final
        ]
        self._tail.forget(min(needed, default=self._tail.end))

    def _replay_from(self, turn: _Turn) -> int:
        """Position from which a turn's audio has to be heard again by a new leg, since a
        word may have begun there that has not come out yet."""
        if turn.leg is None:
            return turn.begin
        begin = max(turn.leg.position(back=_FRAMES_PER_REPLAY), self._settled(turn))
        return min(begin, self._end(turn))  # a word may end after the audio, in its padding

    def _settled(self, turn: _Turn) -> int:
        """Position after the last word that is out as a whole."""
        return round(turn.transcript.settled_end * SAMPLE_RATE)

    def _end(self, turn: _Turn) -> int:
        """Position after the turn's audio, as far as it is there."""
        return self._tail.end if turn.end is None else turn.end
