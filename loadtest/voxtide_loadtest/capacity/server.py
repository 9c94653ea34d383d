"""What is measured, and how it is addressed."""

from __future__ import annotations

from dataclasses import dataclass

from ..dialects import DIALECTS


@dataclass(frozen=True, slots=True)
class Server:
    """A server.

    Attributes:
        url: with /v1 at its end or without.
        name: in reports.
        dialect: one of `DIALECTS`.
        model: "" leaves the choice to the server; vLLM's dialect needs one.
        delay_ms: of its model, where the server does not tell; None if unknown.
    """

    url: str
    name: str
    dialect: str = "openai"
    model: str = ""
    delay_ms: int | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"{self.url!r} is not the URL of a server")
        if self.dialect not in DIALECTS:
            raise ValueError(f"dialect {self.dialect!r} is none of {', '.join(sorted(DIALECTS))}")
        if self.dialect == "vllm" and not self.model:
            raise ValueError("model is missing: vLLM's dialect needs it")

    @classmethod
    def parse(cls, text: str) -> Server:
        """From URL[,name=…][,dialect=…][,model=…][,delay_ms=…].

        Raises:
            ValueError: it is no such text; the message names the field.
        """
        url, *parts = text.split(",")
        fields = dict(part.partition("=")[::2] for part in parts)
        unknown = set(fields) - {"name", "dialect", "model", "delay_ms"}
        if unknown or not all(fields.values()):
            raise ValueError(f"{text!r} is not URL[,name=…][,dialect=…][,model=…][,delay_ms=…]")
        delay = fields.pop("delay_ms", None)
        if delay is not None and not delay.isdecimal():
            raise ValueError(f"delay_ms is not a whole number of milliseconds: {delay!r}")
        name = fields.pop("name", url)
        return cls(url, name, delay_ms=None if delay is None else int(delay), **fields)

    @property
    def metrics(self) -> str:
        """Where Prometheus would look."""
        return self.url.rstrip("/").removesuffix("/v1") + "/metrics"
