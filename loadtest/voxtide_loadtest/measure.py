"""From what streams saw to figures; docs/loadtest.md has the definitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from .baseline import Idle
from .corpus import FRAME_S, Clip
from .figures import Figures
from .pacing import Pacer
from .turn import (
    TimedWord,
    Turn,
    against,
    finalisation,
    first_token,
    first_word,
    lags,
    live_words,
    timed,
    unsaid,
)
from .words import Alignment, Heard, align, tokens

LAG_EVERY_S = 0.5


def _nobody(name: str, seconds: float | None, problem: str | None) -> None:
    """Who is told of each figure if nobody else is."""


class Recorder:
    """Takes turns and adds them to the figures.

    Args:
        idle: what the server does with each clip alone, where that is known.
        tell: is told name, seconds (None if nothing was measured) and problem (None if there is
            none) of what locust lists too.
        on_turn: is given each turn that is over.

    Attributes:
        figures: of all turns since they were last taken.
        live: sessions that are open now.
    """

    def __init__(
        self,
        idle: Mapping[str, Idle] | None = None,
        tell: Callable[[str, float | None, str | None], object] = _nobody,
        on_turn: Callable[[Turn], object] | None = None,
    ) -> None:
        self.figures = Figures()
        self.live = 0
        self._idle = {} if idle is None else idle  # which may be filled later
        self._tell = tell
        self._on_turn = on_turn
        self._unix = time.time() - time.monotonic()
        self._cpu = time.process_time()

    def take(self) -> Figures:
        """The figures so far; those to come are counted from nothing."""
        taken, self.figures = self.figures, Figures()
        return taken

    def look(self) -> None:
        """Count the open sessions and this process's CPU time; to be called once a second."""
        self.figures.streams[int(time.time())] += self.live
        cpu = time.process_time()
        self.figures.counts["cpu_microseconds"] += round((cpu - self._cpu) * 1e6)
        self._cpu = cpu

    def session_began(self) -> None:
        """A server has let a session in."""
        self.live += 1
        self.figures.counts["sessions"] += 1

    def session_ended(self, pacer: Pacer) -> None:
        """It is over."""
        self.live -= 1
        self.paced(pacer)

    def paced(self, pacer: Pacer) -> None:
        """Take what a pacer has noted."""
        now = time.time()
        for slip in pacer.slips:
            # A microsecond at least: to be on time is a measurement too.
            self.figures.record("schedule_slip", max(slip, 1e-6), now)
        for blocked in pacer.blocked:
            self.figures.record("write_blocked", blocked, now)
        self.figures.counts["frames"] += len(pacer.slips)
        pacer.slips.clear()
        pacer.blocked.clear()

    def refused(self, code: str) -> None:
        """A server did not let a session in."""
        self.figures.counts[f"refused:{code}"] += 1
        self._tell("session", None, f"refused: {code}")

    def lost(self, code: str) -> None:
        """A connection broke."""
        self.figures.counts[f"lost:{code}"] += 1
        self._tell("session", None, f"lost: {code}")

    def reconnected(self, why: str) -> None:
        """A session goes on over a new connection."""
        self.figures.counts[f"reconnected:{why}"] += 1

    def error(self, code: str) -> None:
        """A server sent an error."""
        self.figures.counts[f"error:{code}"] += 1
        self._tell("session", None, f"error: {code}")

    def ready(self, delay_ms: int | None) -> None:
        """A server told the delay of its model."""
        if delay_ms is not None:
            self.figures.counts[f"delay_ms:{delay_ms}"] += 1

    def turn(self, turn: Turn) -> None:
        """A turn is over."""
        words = live_words(turn)
        said = timed(turn, words)
        self.figures.counts[f"turns:{turn.outcome}"] += 1
        self._record("time_to_first_token", first_token(turn), turn.began)
        self._record("time_to_first_word", first_word(turn, words), turn.began)
        self._record("finalisation_latency", finalisation(turn), turn.committed)
        self._words(turn, said)
        if turn.outcome == "final":
            self._transcript(turn, words)
        elif turn.outcome != "cut":
            self._tell("turn", None, turn.outcome)
            self.figures.counts["words:unanswered"] += len(turn.clip.words or ())
        if self._on_turn:
            self._on_turn(turn)

    def file(self, clip: Clip, text: str, seconds: float, audio_s: float) -> None:
        """A file was transcribed: how long the request took, and how long the file is."""
        self._record("file_latency", seconds, time.monotonic())
        self.figures.counts["file:milliseconds"] += round(seconds * 1000)
        self.figures.counts["file:audio_milliseconds"] += round(audio_s * 1000)
        if clip.words is not None:
            self._differences("file_words", len(clip.words), _against(clip, text))

    def file_failed(self, code: str) -> None:
        """A file was not transcribed."""
        self.figures.counts[f"file_failed:{code}"] += 1
        self._tell("file", None, code)

    def _words(self, turn: Turn, said: Sequence[TimedWord]) -> None:
        idle = self._idle.get(turn.clip.id)
        for word in said:
            self._record("word_emission_latency", word.latency, word.arrival)
            late = None
            if idle is not None and word.index is not None:
                late = idle.late(word.index, word.latency, FRAME_S)
            if late is not None:
                self.figures.counts["deadline:judged"] += 1
                self.figures.counts["deadline:missed"] += late
        by = "server" if turn.clip.ends is None else "corpus"
        self.figures.counts[f"timed_by:{by}"] += len(said)
        for at, lag in lags(list(said), LAG_EVERY_S):
            self.figures.record("transcript_lag", lag, at + self._unix)

    def _transcript(self, turn: Turn, words: Sequence[Heard]) -> None:
        self.figures.counts["words:without_delta"] += unsaid(turn, list(words))
        if not turn.whole:
            return
        self.figures.said[turn.clip.id] += 1
        if turn.clip.words is not None:
            alignment = against(turn, turn.clip.words)
            self._differences("words", len(turn.clip.words), alignment)
        idle = self._idle.get(turn.clip.id)
        if idle is not None:
            alone = tuple(idle.text.split())
            self._differences("words_against_idle", len(alone), against(turn, alone))

    def _differences(self, kind: str, said: int, alignment: Alignment) -> None:
        counts = {
            "said": said,
            "lost": alignment.lost,
            "doubled": alignment.doubled,
            "inserted": alignment.inserted,
            "substituted": alignment.substituted,
        }
        self.figures.counts.update({f"{kind}:{name}": count for name, count in counts.items()})

    def _record(self, name: str, seconds: float | None, moment: float | None) -> None:
        if seconds is not None and moment is not None:
            self.figures.record(name, seconds, moment + self._unix)
            self._tell(name, seconds, None)


def _against(clip: Clip, text: str) -> Alignment:
    return align(clip.words or (), tuple(tokens(text, clip.language)))
