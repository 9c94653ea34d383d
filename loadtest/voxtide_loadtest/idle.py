"""How a server answers when nobody else is there: what it hears, and how long that takes.

    python -m voxtide_loadtest idle --host http://127.0.0.1:8000 --out idle.json

says each clip of the corpus alone. The file goes to `--idle` of a run: words are then lost if they
were heard alone and not under load, and a deadline is missed if a word comes more than a frame
later than alone.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .baseline import Idle, write
from .behaviour import Say
from .connection import ConnectionLost, Refused
from .corpus import Clip
from .measure import Recorder
from .options import BadOption, Settings, add_options
from .session import Session
from .turn import Turn, live_words, timed
from .words import tokens


def measured(settings: Settings, rounds: int) -> dict[str, Idle]:
    """Say each clip alone, one after the other, so many times.

    Raises:
        RuntimeError: a turn got no final transcript.
        Refused: the server let nobody in.
        ConnectionLost: the connection broke.
    """
    return {clip.id: _alone(settings, clip, rounds) for clip in settings.clips}


def _alone(settings: Settings, clip: Clip, rounds: int) -> Idle:
    turns = [_once(settings, clip) for _ in range(rounds)]
    latencies: list[list[float]] = [[] for _ in clip.ends or ()]
    for turn in turns:
        for word in timed(turn, live_words(turn)):
            if word.index is not None:
                latencies[word.index].append(word.latency * 1000)
    texts = sorted(turn.final or "" for turn in turns)
    return Idle(
        text=" ".join(tokens(texts[len(texts) // 2], clip.language)),
        latency_ms=tuple(round(median(one), 1) if one else None for one in latencies),
    )


def _once(settings: Settings, clip: Clip) -> Turn:
    turns: list[Turn] = []
    Session(settings, Recorder(on_turn=turns.append), random.Random(0)).run(iter([Say(clip)]))
    if not turns or turns[0].outcome != "final":
        raise RuntimeError(f"{clip.id}: no final transcript from an idle server")
    return turns[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m voxtide_loadtest idle", description=__doc__)
    parser.add_argument("--host", required=True, help="URL of the server, with /v1 or without")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=3)
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        idle = measured(Settings.of(options, options.host), options.rounds)
    except BadOption as bad:
        parser.error(str(bad))
    except Refused as refused:
        raise SystemExit(f"voxtide: not let in: {refused.code}") from None
    except (ConnectionLost, RuntimeError) as lost:
        raise SystemExit(f"voxtide: {lost}") from None
    write(options.out, idle)
    print(f"{len(idle)} clips, alone: {options.out}")
