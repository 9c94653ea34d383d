"""Utterances for tests of what does not look at their audio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from voxtide_eval.datasets.audio import File
from voxtide_eval.datasets.definition import Utterance
from voxtide_eval.inference.run import blank
from voxtide_eval.manifest import Heard, Word

from . import made

RUN = replace(
    made.RUN,
    dataset="digits",
    revision="",
    way="fast",
    server={"product": "voxtide", "voxtide": "0.1.0"},
    settings={"seed": 0, "limit": None, "parallel": 2},
    label="nano",
)


def utterance(name: str, reference: str, audio: Path, seconds: float = 1.0) -> Utterance:
    """One that a voice says."""
    words = (Word(reference.split()[0], 0.1, 0.2),)
    return Utterance(name, reference, "en", "a voice", seconds, words, File(audio))


def said(count: int) -> list[Utterance]:
    """So many, with ids whose order is not that of the alphabet, and audio that is not there."""
    return [utterance(f"u{n}", f"text {n}", Path(f"u{n}.wav")) for n in range(count)]


async def echo(utterance: Utterance) -> Heard:
    """A server that hears everything right."""
    return replace(blank(utterance), hypothesis=utterance.reference)
