"""Utterances for tests of what does not look at their audio."""

from __future__ import annotations

from dataclasses import dataclass, replace

from voxtide_eval.inference.run import blank
from voxtide_eval.manifest import Heard, Run, Word

RUN = Run(
    dataset="digits",
    split="test",
    revision="",
    language="en",
    metric="wer",
    normaliser="basic",
    way="fast",
    model="nano",
    delay_ms=480,
    server={"product": "voxtide", "voxtide": "0.1.0"},
    settings={"seed": 0, "limit": None, "parallel": 2},
    label="nano",
)


@dataclass(frozen=True)
class Said:
    """As much of an utterance as a run looks at."""

    id: str
    reference: str = "seven"
    seconds: float = 1.0
    speaker: str = ""
    words: tuple[Word, ...] = ()


def said(count: int) -> list[Said]:
    """So many, with ids whose order is not that of the alphabet."""
    return [Said(f"u{number}", f"text {number}") for number in range(count)]


async def echo(utterance: Said) -> Heard:
    """A server that hears everything right."""
    return replace(blank(utterance), hypothesis=utterance.reference)
