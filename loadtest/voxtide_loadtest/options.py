"""The options of a run, beside locust's own; each is also a field in locust's web UI."""

from __future__ import annotations

import argparse
import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from .behaviour import Behaviour, Distribution
from .corpus import FRAME_S, BadCorpus, Clip, load
from .dialects import DIALECTS
from .dialects.base import Dialect
from .pacing import Network

_T = TypeVar("_T")
_RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
KEY_VARIABLE = "VOXTIDE_API_KEY"


class BadOption(ValueError):
    """An option that cannot be used; the message names it."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a session is, and what is said in it. The API key is in the environment."""
    add = parser.add_argument_group("voxtide").add_argument
    add("--dialect", default="openai", choices=sorted(DIALECTS), help="realtime API")
    add("--model", default="", help="name of the model; vLLM's dialect needs it")
    add("--corpus", default="", help="manifest.jsonl or folder; else the recording of voxtide")
    add("--rate", type=int, default=0, help="of the audio, Hz; else that of the dialect")
    add("--session", default="fixed:60", help="length of a session: DISTRIBUTION in seconds")
    add("--pause", default="fixed:0", help="silence between two turns")
    add("--rest", default="fixed:0", help="time between two sessions")
    add("--muted", action="store_true", help="send nothing in a pause, instead of silence")
    add("--barge-in", type=float, default=0.0, help="share of turns committed in their middle")
    add("--disconnect", type=float, default=0.0, help="share of turns in which the client hangs up")
    add("--away", default="fixed:1", help="time until it comes back")
    add("--network", default="steady", help="steady, jitter:MS, burst:FRAMES, or both with +")
    add("--final-timeout", type=float, default=10.0, help="for a final transcript, in seconds")
    add("--seed", type=int, default=1, help="of all that is drawn")


@dataclass(frozen=True)
class Settings:
    """What sessions are.

    Attributes:
        host: URL of the server.
        model: None leaves the choice to the server.
        key: None for none.
        rate: of the audio, in Hz.
        final_timeout: how long a final transcript is waited for, in seconds.
        seed: of all that is drawn.
    """

    host: str
    dialect: Dialect
    model: str | None
    key: str | None
    clips: list[Clip]
    rate: int
    behaviour: Behaviour
    network: Network
    final_timeout: float
    seed: int
    _messages: dict[str, list[bytes]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, options: argparse.Namespace, host: str | None) -> Settings:
        """What the options say.

        Raises:
            BadOption: one of them cannot be used.
        """
        dialect = DIALECTS[options.dialect]
        rate = options.rate or dialect.rate
        if rate not in _RATES:
            raise BadOption(f"--rate {rate} is none of {', '.join(map(str, _RATES))}")
        if not host or not host.startswith(("http://", "https://")):
            raise BadOption(f"--host {host!r} is not the URL of a server")
        if options.final_timeout <= 0:
            raise BadOption(f"--final-timeout {options.final_timeout} is not above 0")
        if options.dialect == "vllm" and not options.model:
            raise BadOption("--model is missing: vLLM's dialect needs it")
        return cls(
            host=host,
            dialect=dialect,
            model=options.model or None,
            key=os.environ.get(KEY_VARIABLE),
            clips=_checked("--corpus", load, options.corpus),
            rate=rate,
            behaviour=_behaviour(options),
            network=_checked("--network", Network.parse, options.network),
            final_timeout=options.final_timeout,
            seed=options.seed,
        )

    @property
    def address(self) -> str:
        """Of the realtime endpoint."""
        return self.dialect.address(self.host, self.model)

    def messages(self, clip: Clip) -> list[bytes]:
        """The messages that carry a clip, one for each frame; written once for all streams."""
        if clip.id not in self._messages:
            self._messages[clip.id] = [self._message(frame) for frame in clip.frames(self.rate)]
        return self._messages[clip.id]

    def silence(self, frames: int) -> list[bytes]:
        """The messages that carry so much silence."""
        return [self._message(bytes(2 * round(self.rate * FRAME_S)))] * frames

    def _message(self, frame: bytes) -> bytes:
        return self.dialect.append(base64.b64encode(frame).decode())


def _behaviour(options: argparse.Namespace) -> Behaviour:
    try:
        return Behaviour(
            session=_checked("--session", Distribution.parse, options.session),
            pause=_checked("--pause", Distribution.parse, options.pause),
            rest=_checked("--rest", Distribution.parse, options.rest),
            muted=options.muted,
            barge_in=options.barge_in,
            disconnect=options.disconnect,
            away=_checked("--away", Distribution.parse, options.away),
        )
    except BadOption:
        raise
    except ValueError as bad:
        raise BadOption(f"--{bad}") from None


def _checked(name: str, read: Callable[[str], _T], text: str) -> _T:
    try:
        return read(text)
    except (BadCorpus, ValueError) as bad:
        raise BadOption(f"{name}: {bad}") from None
