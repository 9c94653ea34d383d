"""The legs of turns: which engine stream hears what audio, and when another takes over.

A turn's audio goes through one engine stream after another (a leg each). A new leg hears
again all that came after the last word that is out, REPLAY_S of it at the most, so that no
word is lost and none comes twice. Why it begins: session.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .audio import Framer, Tail
from .effects import CloseStream, Effect, FeedStream, OpenStream
from .engine import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Samples, StreamLayout
from .speech import is_clear_speech
from .transcript import LONGEST_WORD_S
from .turns import FRAMES_PER_RUT, Leg, Turn

RENEW_PAUSE_S = 0.8
"""The pause that suffices for a renewal at the age that the layout names; it shrinks to
nothing at twice the age. At three times the age a leg is renewed whatever is being said."""
REPLAY_S = LONGEST_WORD_S
"""Audio before the last token that a new leg hears again: as long as any word."""

_FRAMES_PER_REPLAY = round(REPLAY_S / FRAME_S)
# With the frames that the last word before a rut took to be spelt.
_FRAMES_HELD = FRAMES_PER_RUT + 13


class Legs:
    """Opens, feeds, renews and ends the legs of a session's turns.

    Args:
        layout: how the model lays out a stream.

    Attributes:
        tail: the session's audio that a leg may want again; another one where a session of
            somewhere else goes on.
    """

    def __init__(self, layout: StreamLayout) -> None:
        self.tail = Tail()
        self._layout = layout
        # A leg must come further than what its successor hears again.
        self._renew_after_s = max(2 * REPLAY_S, layout.renew_after * FRAME_S)

    def open(self, turn: Turn, reason: str | None = None) -> Iterator[Effect]:
        """Begin a leg that hears all from `turn.begin` on that is there."""
        reason = reason or ("idle" if turn.legs else "turn")
        # All legs of a turn cut its audio into the same frames, so that its words have the same
        # times whichever leg hears them; what was before `begin` is silence to this one.
        base = _on_grid(turn, turn.begin)
        leg = turn.leg = Leg(f"{turn.id}_{turn.legs}", base, Framer(self._layout))
        turn.legs += 1
        yield OpenStream(leg.stream, reason, turn.logprobs)
        heard_again = self.tail.between(turn.begin, self.end(turn), silent=turn.begin - base)
        yield from self.feed(leg, leg.framer.push(heard_again))
        if turn.end is not None:
            yield from self.feed(leg, leg.framer.finish(turn.silent))

    def leave(self, turn: Turn) -> Effect:
        """End a turn's leg; another may begin where words may be missing."""
        assert turn.leg is not None
        turn.begin = self.replay_from(turn)
        leg, turn.leg = turn.leg, None
        turn.transcript.resume()
        return CloseStream(leg.stream)

    def renew(self, turn: Turn, reason: str) -> Iterator[Effect]:
        """Let another leg take over, for a reason that the metrics name."""
        yield self.leave(turn)
        yield from self.open(turn, reason)

    def watch(self, turn: Turn, leg: Leg) -> Iterator[Effect]:
        """Renew a leg that is old, or in a rut."""
        if turn.transcript.spelling:
            leg.blanks, turn.patience = 0, FRAMES_PER_RUT
        else:
            leg.blanks += 1
        if self._renewable(turn, leg):
            yield from self.renew(turn, "age")
        elif leg.blanks >= turn.patience:
            leg.blanks = 0
            end = self.end(turn)
            start = min(leg.position(back=FRAMES_PER_RUT), end)
            if is_clear_speech(self.tail.between(start, min(leg.position(), end))):
                # What is no speech after all must not be heard again and again.
                turn.patience *= 2
                begin = max(leg.position(back=_FRAMES_HELD), self._settled(turn))
                yield self.leave(turn)
                turn.begin = min(begin, end)
                yield from self.open(turn, "rut")

    def feed(self, leg: Leg, windows: Iterator[Samples]) -> Iterator[Effect]:
        """Windows of audio, a frame each, in their order."""
        for window in windows:
            leg.fed += 1
            yield FeedStream(leg.stream, window)

    def _renewable(self, turn: Turn, leg: Leg) -> bool:
        """Whether the leg is old and nothing is being said just now."""
        age = leg.heard * FRAME_S
        if age < self._renew_after_s:
            return False
        if turn.end is not None and leg.position() >= turn.end:
            return False  # only the silence after the turn is left
        overdue = age / self._renew_after_s - 1
        if turn.transcript.spelling:
            return overdue >= 2
        return self.quiet_s(turn, leg) >= RENEW_PAUSE_S * (1 - overdue)

    def quiet_s(self, turn: Turn, leg: Leg) -> float:
        """Seconds of audio since the last word ended, as far as it has been heard."""
        return leg.position() / SAMPLE_RATE - turn.transcript.last_end

    def forget(self, turns: Iterable[Turn]) -> None:
        """Let go of audio that no leg may want again."""
        needed = [
            min(turn.leg.position(back=_FRAMES_HELD), self.end(turn)) if turn.leg else turn.begin
            for turn in turns
            if not turn.final
        ]
        self.tail.forget(min(needed, default=self.tail.end))

    def replay_from(self, turn: Turn) -> int:
        """Position from which a turn's audio has to be heard again by a new leg, since a
        word may have begun there that has not come out yet."""
        if turn.leg is None:
            return turn.begin
        begin = max(turn.leg.position(back=_FRAMES_PER_REPLAY), self._settled(turn))
        return min(begin, self.end(turn))  # a word may end after the audio, in its padding

    def _settled(self, turn: Turn) -> int:
        """Position after the last word that is out as a whole."""
        return round(turn.transcript.settled_end * SAMPLE_RATE)

    def end(self, turn: Turn) -> int:
        """Position after the turn's audio, as far as it is there."""
        return self.tail.end if turn.end is None else turn.end


def _on_grid(turn: Turn, position: int) -> int:
    """The last start of a frame of the turn at or before a position."""
    return position - (position - turn.start) % FRAME_SAMPLES
