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
- Where turns are detected, a commit comes of itself: when energy has heard no speech
  for the silence that was asked for, or the model no word for a second longer.
- After an End comes exactly one Ended, when every turn is final.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .audio import Resampler, Tail
from .effects import CloseStream, Effect, Emit
from .endpointing import Change, Endpointer
from .engine import FRAME_S, SAMPLE_RATE, Samples, StreamLayout, Vocabulary
from .errors import VoxtideError
from .events import (
    Acknowledge,
    Acknowledged,
    Audio,
    Clear,
    Cleared,
    Command,
    Commit,
    Committed,
    Completed,
    Configure,
    Delta,
    Detect,
    End,
    Ended,
    Failed,
    IdleTimeout,
    Resume,
    Score,
    SegmentEnded,
    SpeechStarted,
    SpeechStopped,
)
from .legs import RENEW_PAUSE_S, Legs
from .transcript import Transcript
from .turns import FRAMES_PER_RUT, Leg, Turn

WORD_S = 0.3
"""Length of a word that energy has missed, for where its turn is said to begin."""
DOUBT_S = 1.0
"""Silence of the model, beyond that which ends a turn, that outweighs energy."""
LONGEST_REPEAT_S = 20.0
"""Audio that another session is to hear again, at the most, so that it begins in a gap."""
ACKNOWLEDGE_S = 1.0
"""Shortest audio between two acknowledgements, but for the end of a turn."""
MAX_LOSSES = 3
"""Losses of a turn's legs, without a new frame heard between them, that it survives."""


class Session:
    """The state of one client's session.

    Args:
        session_id: prefix of turn and stream ids; unique in the process.
        layout: how the model lays out a stream.
        vocabulary: the model's tokens.
        rate: of the client's samples until a Configure says otherwise, in Hz.

    Attributes:
        id: as it was given.
        commits: that were taken so far, whoever asked for them.
    """

    def __init__(
        self, session_id: str, layout: StreamLayout, vocabulary: Vocabulary, rate: int = SAMPLE_RATE
    ) -> None:
        self.id = session_id
        self._layout = layout
        self._vocabulary = vocabulary
        self._rate = rate
        self._resampler = Resampler(rate)
        self._turns: deque[Turn] = deque()
        self._open: Turn | None = None
        self._count = 0
        self.commits = 0
        self._previous: str | None = None
        self._legs = Legs(layout)
        self._ending = False
        self._over = False
        self._heard = 0
        self._endpointer: Endpointer | None = None
        self._acknowledged: float | None = None
        # Where the turn began in which another session ended.
        self._resumed: int | None = None
        # Another session has told the words up to here.
        self._known = 0
        self._logprobs = False

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
    def audio_s(self) -> float:
        """Seconds of audio that have come."""
        return self._legs.tail.end / SAMPLE_RATE

    @property
    def heard_s(self) -> float:
        """Position in seconds up to which the engine has heard."""
        return self._heard / SAMPLE_RATE

    @property
    def acknowledges(self) -> bool:
        """Whether the client wants to know up to where it need not send audio again: it can go on
        in another session."""
        return self._acknowledged is not None

    @property
    def in_turn(self) -> bool:
        """Whether anything has been said that is not final; silence alone is no turn."""
        return any(
            turn.end is not None
            or turn.started
            or turn.transcript.spelling
            or turn.transcript.begun
            for turn in self._turns
        )

    @property
    def acknowledged_s(self) -> float:
        """Position in seconds up to which everything that was said is out, or has failed:
        where another session would have to go on. It lies between two words that are
        well apart, unless there is no gap for LONGEST_REPEAT_S."""
        begins = [self._acknowledged_of(turn) for turn in self._turns if not turn.final]
        settled = min(begins, default=self._legs.tail.end / SAMPLE_RATE)
        return max(settled, self._known / SAMPLE_RATE)

    def _acknowledged_of(self, turn: Turn) -> float:
        settled = self._legs.replay_from(turn) / SAMPLE_RATE
        gap = min(turn.transcript.last_gap, settled)
        return gap if settled - gap <= LONGEST_REPEAT_S else settled

    def acknowledged(self) -> Acknowledged:
        """What is acknowledged by now, with the words of it that were not told yet."""
        position = self.acknowledged_s
        if not self._turns:
            # The turn that another session left goes on although nothing has come of it here.
            start = None if self._resumed is None else self._resumed / SAMPLE_RATE
            return Acknowledged(position, turn_start=start)
        turn = self._turns[0]
        words = turn.transcript.settle(position)
        return Acknowledged(position, turn.id, turn.start / SAMPLE_RATE, words)

    # ---- commands ------------------------------------------------------------------

    def command(self, command: Command) -> list[Effect]:
        """Take a command of the client; after an End there is none to be taken."""
        if self._over:
            return []
        match command:
            case Configure(rate):
                return self._configure(rate)
            case Audio(samples):
                return list(self._audio(self._resampler.push(samples)))
            case Commit():
                return [*self._audio(self._resampler.flush()), *self._commit()]
            case Clear():
                return self._clear()
            case Acknowledge():
                self._acknowledged = self.acknowledged_s
                return []
            case Resume(at, previous, turn_start, words_after):
                self._legs.tail, self._previous = Tail(round(at * SAMPLE_RATE)), previous
                self._heard = self._legs.tail.end
                self._resumed = round((at if turn_start is None else turn_start) * SAMPLE_RATE)
                self._known = round((at if words_after is None else words_after) * SAMPLE_RATE)
                return []
            case Detect(detection):
                self._endpointer = None if detection is None else Endpointer(detection)
                return []
            case Score(logprobs):
                self._logprobs = logprobs
                return []
            case End():
                return [*self._audio(self._resampler.flush()), *self._end_all()]

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
        speaking = turn.transcript.spelling or self._legs.quiet_s(turn, turn.leg) < RENEW_PAUSE_S
        return [] if in_pause and speaking else [self._legs.leave(turn)]

    def close(self) -> list[Effect]:
        """The client is gone."""
        return [self._legs.leave(turn) for turn in self._turns if turn.leg]

    def _configure(self, rate: int) -> list[Effect]:
        if rate == self._rate:
            return []
        effects = list(self._audio(self._resampler.flush()))
        self._rate, self._resampler = rate, Resampler(rate)
        return effects

    def _audio(self, samples: Samples) -> Iterator[Effect]:
        endpointer = self._endpointer
        if endpointer is None:
            yield from self._take(samples)
            return
        for piece, change in endpointer.push(samples):
            yield from self._take(piece)
            if change is not None and self._open is not None:
                yield from self._change(self._open, change, endpointer)

    def _change(self, turn: Turn, change: Change, endpointer: Endpointer) -> Iterator[Effect]:
        """Somebody began to speak, or stopped, or has not for long."""
        now = self._legs.tail.end / SAMPLE_RATE
        if change is Change.STARTED:
            self._started(turn, now - endpointer.onset_s)
            yield from self._emit()
            return
        if self._legs.tail.end <= self._known:
            return  # the turn went on there
        if change is Change.STOPPED:
            self._stopped(turn, self._legs.tail.end)
            turn.silent = int(endpointer.silence_s / FRAME_S)
        else:
            turn.waiting.append(IdleTimeout(turn.id, turn.start / SAMPLE_RATE, now))
        yield from self._commit()

    def _started(self, turn: Turn, position: float) -> None:
        if not turn.started:
            turn.started = True
            position = max(position, turn.start / SAMPLE_RATE)
            turn.waiting.append(SpeechStarted(turn.id, position))

    def _stopped(self, turn: Turn, end: int) -> None:
        self._started(turn, turn.start / SAMPLE_RATE)
        turn.waiting.append(SpeechStopped(turn.id, end / SAMPLE_RATE))

    def _take(self, samples: Samples) -> Iterator[Effect]:
        if not len(samples):
            return
        turn = self._open or self._begin()
        self._legs.tail.push(samples)
        if turn.leg is None:
            yield from self._legs.open(turn)
        else:
            yield from self._legs.feed(turn.leg, turn.leg.framer.push(samples))

    def _begin(self, start: int | None = None) -> Turn:
        begin = self._legs.tail.end if start is None else start
        resumed, self._resumed = self._resumed, None
        turn = Turn(
            id=f"item_{self.id}_{self._count}",
            begin=begin,
            start=begin if resumed is None else resumed,
            transcript=Transcript(
                self._vocabulary, max(begin, self._known) / SAMPLE_RATE, resumed is not None
            ),
            logprobs=self._logprobs,
        )
        self._count += 1
        self._turns.append(turn)
        self._open = turn
        return turn

    def _commit(self) -> Iterator[Effect]:
        turn = self._open or self._begin()
        self._open = None
        self._committed(turn, self._legs.tail.end)
        if not turn.legs and turn.begin == turn.end:
            yield from self._complete(turn)
            return
        yield from self._emit()
        if turn.leg is None:
            yield from self._legs.open(turn)
        else:
            yield from self._legs.feed(turn.leg, turn.leg.framer.finish(turn.silent))

    def _committed(self, turn: Turn, end: int) -> None:
        if self._endpointer is not None:
            self._endpointer.rest()
        turn.end = end
        turn.transcript.audio_end = end / SAMPLE_RATE
        turn.waiting.append(Committed(turn.id, self._previous))
        self._previous = turn.id
        self.commits += 1

    def _end_all(self) -> Iterator[Effect]:
        self._ending = self._over = True
        if self._open is not None:
            yield from self._commit()
        yield from self._emit()

    def _clear(self) -> list[Effect]:
        self._resampler = Resampler(self._rate)
        effects: list[Effect] = []
        turn, self._open = self._open, None
        if self._endpointer is not None:
            self._endpointer.rest()
        if turn is not None:
            self._turns.remove(turn)
            if turn.leg is not None:
                effects.append(CloseStream(turn.leg.stream))
        self._legs.forget(self._turns)
        return [*effects, Emit(Cleared())]

    # ---- what the engine says ------------------------------------------------------

    def token(self, stream: str, token: int, logprob: float | None = None) -> list[Effect]:
        """Take the next token of a stream, and how likely it was where that was asked for."""
        turn = self._find(stream)
        if turn is None or turn.leg is None:
            return []  # of a leg that has been renewed or cleared
        leg, transcript = turn.leg, turn.transcript
        leg.heard += 1
        turn.tokens += 1
        self._heard = max(self._heard, min(leg.position(), self._legs.end(turn)))
        if leg.position() > turn.furthest:
            turn.furthest, turn.losses = leg.position(), 0
        self._legs.forget(self._turns)
        frame_start = leg.base / SAMPLE_RATE + (leg.heard - 1) * FRAME_S
        if text := transcript.push(token, frame_start, logprob):
            self._spoken(turn, text)
            logprobs = transcript.fresh_logprobs()
            turn.waiting.append(Delta(turn.id, text, transcript.last_end, logprobs))
        if segment := transcript.pause(frame_start + FRAME_S):
            turn.waiting.append(SegmentEnded(turn.id, segment))
        if turn.end is not None and leg.heard == leg.fed:
            return [CloseStream(stream), *self._complete(turn), *self._acknowledge()]
        return [
            *self._emit(),
            *self._fallen_silent(turn, leg),
            *(() if turn.final else self._legs.watch(turn, leg)),
            *self._acknowledge(),
        ]

    def _spoken(self, turn: Turn, text: str) -> None:
        """The model heard a word: whatever energy says, somebody is speaking."""
        if self._endpointer is None or turn is not self._open:
            return
        self._endpointer.heard(text)
        prefix_s = self._endpointer.detection.prefix_s
        self._started(turn, turn.transcript.last_end - WORD_S - prefix_s)

    def _fallen_silent(self, turn: Turn, leg: Leg) -> Iterator[Effect]:
        """End a turn that has had words and has none any more, in noise that sounds like speech."""
        if self._endpointer is None or turn is not self._open or not turn.transcript.begun:
            return
        if turn.transcript.spelling:
            return
        silence_s = self._endpointer.silence_s
        if self._legs.quiet_s(turn, leg) < silence_s + DOUBT_S:
            return
        # Not where the audio ends by now: the next word may have begun there.
        heard_again = min(self._legs.tail.end, leg.position(back=FRAMES_PER_RUT))
        cut = max(heard_again, round((turn.transcript.last_end + silence_s) * SAMPLE_RATE))
        yield CloseStream(leg.stream)
        self._stopped(turn, cut)
        self._committed(turn, cut)
        self._open = None
        yield from self._complete(turn)
        yield from self._legs.open(self._begin(cut))

    def _acknowledge(self) -> Iterator[Effect]:
        """Tell who wants to know, whenever ACKNOWLEDGE_S more have been settled."""
        if self._acknowledged is not None:
            position = self.acknowledged_s
            if position >= self._acknowledged + ACKNOWLEDGE_S or not self._turns:
                if position > self._acknowledged:
                    yield Emit(self.acknowledged())
                self._acknowledged = position

    def stream_lost(self, stream: str, error: VoxtideError) -> list[Effect]:
        """The engine has lost a stream: hear again what has no words yet, or give up."""
        turn = self._find(stream)
        if turn is None:
            return []
        turn.losses += 1
        if turn.losses > MAX_LOSSES:
            return self._fail(turn, error)
        return list(self._legs.renew(turn, "lost"))

    def fail(self, error: VoxtideError) -> list[Effect]:
        """The engine is gone: every turn fails."""
        return [effect for turn in list(self._turns) for effect in self._fail(turn, error)]

    def stream_failed(self, stream: str, error: VoxtideError) -> list[Effect]:
        """A stream is lost, and another would be no better."""
        turn = self._find(stream)
        return [] if turn is None else self._fail(turn, error)

    def _fail(self, turn: Turn, error: VoxtideError) -> list[Effect]:
        if turn.final:
            return []
        if turn is self._open:
            self._open = None
            if self._endpointer is not None:
                self._endpointer.rest()
        effects: list[Effect] = [self._legs.leave(turn)] if turn.leg else []
        turn.waiting.append(Failed(turn.id, error))
        turn.final = True
        self._legs.forget(self._turns)
        return [*effects, *self._emit(), *self._acknowledge()]

    def _find(self, stream: str) -> Turn | None:
        return next((t for t in self._turns if t.leg and t.leg.stream == stream), None)

    def _complete(self, turn: Turn) -> Iterator[Effect]:
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
        if self._ending:
            self._ending = False
            yield Emit(Ended())
