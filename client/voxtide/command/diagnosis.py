"""All that can be found out about a server, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..config import Endpoint, Timeout
from . import probe_http, probe_live
from .probe_http import HttpFacts
from .probe_live import DIALECTS, Greeting

_WELL = ("ready", "running", None)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found out.

    Attributes:
        greetings: By dialect.
    """

    base_url: str
    facts: HttpFacts
    greetings: Mapping[str, Greeting]

    @classmethod
    async def made(cls, endpoint: Endpoint, patience: Timeout) -> Self:
        """Ask and greet.  Raises UnreachableError if there is no server."""
        facts = await probe_http.ask(endpoint, patience)
        model = next(iter(facts.models or ()), None)
        greetings = [await probe_live.greet(endpoint, name, patience, model) for name in DIALECTS]
        return cls(endpoint.base_url, facts, dict(zip(DIALECTS, greetings, strict=True)))

    @property
    def kind(self) -> str | None:
        """ "voxtide", "vllm", or None for a server that does not tell."""
        if self.facts.voxtide is not None:
            return "voxtide"
        return "vllm" if self.facts.vllm is not None else None

    @property
    def problems(self) -> list[str]:
        """What is wrong.  Only voxtide owes all dialects, and other servers owe none."""
        found = []
        if self.facts.status not in _WELL:
            found.append(f"the server is not ready: {self.facts.status}")
        if self.facts.key == "refused":
            found.append("the server does not accept the key, or wants one: VOXTIDE_API_KEY")
        if self.facts.models == ():
            found.append("the server has no model")
        for name, greeting in self.greetings.items():
            if self.kind == "voxtide" and not greeting.answers:
                found.append(f"the {name} dialect does not answer: {greeting.why}")
        return found

    @property
    def delay_ms(self) -> int | None:
        """Of the model, from the first greeting that tells."""
        delay: int | None = self._first("delay_ms")
        return delay

    @property
    def room(self) -> int | None:
        """How many more live sessions would be let in."""
        sessions, capacity = self.facts.sessions, self.facts.capacity
        return None if sessions is None or capacity is None else max(0, capacity - sessions)

    def as_json(self) -> Mapping[str, Any]:
        """The document of `--json`; null is what is not known."""
        facts = self.facts
        return {
            "base_url": self.base_url,
            "ok": not self.problems,
            "problems": self.problems,
            "server": self.kind,
            "status": facts.status,
            "versions": {"voxtide": facts.voxtide, "vllm": facts.vllm},
            "key": facts.key,
            "models": facts.models,
            "delay_ms": self.delay_ms,
            "dialects": {
                name: {"answers": greeting.answers, "why": greeting.why or None}
                for name, greeting in self.greetings.items()
            },
            "sessions": {"open": facts.sessions, "capacity": facts.capacity, "room": self.room},
            "clock_ahead_s": _rounded(facts.clock_ahead_s, 1),
            "http_round_trip_ms": _rounded(1000 * facts.round_trip_s, 2),
            "websocket_round_trip_ms": _milliseconds(self._first("round_trip_s")),
        }

    def _first(self, name: str) -> Any:
        known = (getattr(greeting, name) for greeting in self.greetings.values())
        return next((value for value in known if value is not None), None)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else _rounded(1000 * seconds, 2)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
