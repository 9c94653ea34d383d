"""Runs made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from voxtide_eval.manifest import Heard, Manifest, Run, Word

RUN = Run(
    dataset="made",
    split="test",
    revision="1",
    language="en",
    metric="wer",
    normaliser="basic",
    way="realtime",
    model="nano",
    delay_ms=480,
    server={"product": "voxtide", "voxtide": "1"},
    settings={"seed": 0},
    label="nano 480",
)


def heard(name: str, reference: str, hypothesis: str, **more: object) -> Heard:
    """An utterance of 10 s, if nothing else is said."""
    return replace(Heard(name, 10.0, reference, hypothesis), **more)  # type: ignore[arg-type]


def manifest(utterances: Iterable[Heard], **run: object) -> Manifest:
    """A run of them."""
    return Manifest(replace(RUN, **run), tuple(utterances))  # type: ignore[arg-type]


def pairs(*texts: tuple[str, str], **run: object) -> Manifest:
    """A run of (reference, hypothesis)."""
    return manifest((heard(f"u{n}", *two) for n, two in enumerate(texts)), **run)


def timed(text: str, end: float = 1.0, step: float = 0.5) -> tuple[Word, ...]:
    """Words of 0.3 s that end every `step` seconds."""
    ends = [end + step * place for place in range(len(text.split()))]
    return tuple(Word(w, at - 0.3, at) for w, at in zip(text.split(), ends, strict=True))


def spoken(
    number: int, random: np.random.Generator, *, wrong: float, words: int = 10
) -> list[tuple[list[str], list[str]]]:
    """Utterances of words that are heard as others with a probability, as (said, heard)."""
    made = []
    for n in range(number):
        said = [f"w{n}x{place}" for place in range(words)]
        missed = random.random(words) < wrong
        made.append((said, ["wrong" if m else w for w, m in zip(said, missed, strict=True)]))
    return made


def live(
    said: Sequence[str], came: Sequence[str], name: str, late: Sequence[float], **more: object
) -> Heard:
    """An utterance at the speed of speech, whose words are shown as late as is said."""
    words = timed(" ".join(came))
    emitted = tuple(word.end + by for word, by in zip(words, late, strict=True))
    return heard(
        name,
        " ".join(said),
        " ".join(came),
        words=words,
        emitted=emitted,
        first_word_s=emitted[0] if emitted else None,
        final_s=0.5,
        **more,
    )
